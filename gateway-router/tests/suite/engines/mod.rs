//! The engine clients, one kind at a time.

mod tls;

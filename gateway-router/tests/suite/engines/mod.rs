//! The engine clients, one kind at a time.

mod detect;
mod readings;
mod tls;

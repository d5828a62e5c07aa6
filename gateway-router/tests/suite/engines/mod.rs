//! The engine clients, one kind at a time.

mod conformance;
mod detect;
mod readings;
mod tls;

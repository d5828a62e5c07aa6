//! One set of tests for every store of records, and what each has of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod conformance;
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod server;
#[cfg(feature = "sqlite")]
mod sqlite;

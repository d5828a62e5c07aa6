//! The gateway binary as a library, so that tests and other programs start it in process.

pub mod config;

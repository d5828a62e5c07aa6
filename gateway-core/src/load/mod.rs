//! Load: what engines report and what this router has in flight.
mod telemetry;

pub use telemetry::Telemetry;

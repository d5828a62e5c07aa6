//! The router through its public API: against engines that follow a script byte by byte, against engines in memory under
//! virtual time, and against the simulated engine.

mod common;

mod cancel;
mod connections;
mod deadlines;
mod failover;
mod headers;
mod outage;
mod storm;
mod streams;

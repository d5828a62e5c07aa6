//! The router through its public API: against engines that follow a script byte by byte, against engines in memory under
//! virtual time, and against the simulated engine.

mod common;

mod adapters;
mod admission;
mod cancel;
mod connections;
mod deadlines;
#[cfg(any(feature = "dns", feature = "kubernetes"))]
mod discovery;
#[cfg(feature = "text")]
mod edge;
mod engines;
mod failover;
mod feed;
mod goals;
mod headers;
mod hedging;
mod outage;
mod pairs;
mod placement;
mod ranks;
mod reload;
mod service;
mod storm;
mod streams;
mod survival;
mod tokens;

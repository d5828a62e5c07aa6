//! Whole fleets under recorded or generated traffic, in virtual time and fast: prompts are block ids and lengths, a step
//! costs the same however many sequences decode in it.
//!
//! [`crate::fleet`] drives [`crate::model`] token by token and suits experiments with hundreds of requests; this drives
//! tens of thousands. Routers speak the protocol of [`gateway_core::decider`], so what is measured here is what
//! `gateway decide` answers.

mod advance;
mod agenda;
mod cache;
mod candidates;
mod changes;
mod check;
mod engine;
mod error;
mod event;
mod gaps;
mod hash;
mod mail;
mod memory;
mod place;
mod plan;
mod record;
mod report;
mod router;
mod run;
mod sequence;
mod spec;
mod tell;
#[cfg(test)]
mod tests;

pub use error::ReplayError;
pub use gaps::Gaps;
pub use record::ReplayRecord;
pub use report::{EngineReport, ReplayReport};
pub use router::Router;
pub use run::replay;
pub use spec::{FleetSpec, HostTier, ReplayEngine, SlowSpan, TraceRequest};

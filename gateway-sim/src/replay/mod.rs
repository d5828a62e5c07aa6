//! Whole fleets under recorded or generated traffic, in virtual time and fast: prompts are block ids and lengths, a step
//! costs the same however many sequences decode in it.
//!
//! [`crate::fleet`] drives [`crate::model`] token by token and suits experiments with hundreds of requests; this drives
//! tens of thousands. Routers speak the protocol of [`gateway_core::decider`], so what is measured here is what
//! `gateway decide` answers.

mod router;
mod spec;

pub use router::Router;
pub use spec::{FleetSpec, HostTier, ReplayEngine, SlowSpan, TraceRequest};

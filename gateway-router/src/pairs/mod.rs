//! Prefill on one engine, decode on another: what a router is told of it, and what it tells.

mod pools;
mod report;
mod settings;

pub(crate) use pools::PairPools;
pub use report::{Cleanup, CleanupReport, PairFault, PairOutcome, PairReport};
pub use settings::{Fallback, PairSettings, Pairs, TransferSettings};

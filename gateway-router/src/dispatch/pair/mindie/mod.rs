//! `MindIE`: the prefill engine is asked and hands over by itself; what follows comes among the answers that the decode engine
//! gives to all requests together.

mod answer;
mod claim;
mod hearing;
mod machine;
mod rounds;
#[cfg(test)]
mod tests;

pub(super) use answer::Answer;
pub(super) use claim::{Claim, Stopping};
pub(super) use hearing::Hearing;
pub(super) use machine::MindIe;
pub(super) use rounds::Rounds;

/// How often a request that a decode engine threw out is begun anew there.
const RECOMPUTES_AT_MOST: u32 = 3;

//! One engine's scheduler and KV cache, as a state machine in virtual time.
//!
//! The order of work in a step follows vLLM V1: sequences that decode come first, then unfinished prompts, then new
//! requests in arrival order, all within a token budget and a number of sequences. A step takes the time that a
//! [`ChipProfile`] says; its tokens come out when it ends.
//!
//! Drive it with [`EngineModel::submit`], then call [`EngineModel::step`] at the times [`EngineModel::next_step_at`]
//! names:
//!
//! ```
//! use gateway_core::Timestamp;
//! use gateway_sim::model::{ChipProfile, EngineConfig, EngineModel, Request, RequestId};
//!
//! let chip = ChipProfile::named("8b-h100").expect("a known profile");
//! let mut engine = EngineModel::new(EngineConfig::for_chip(chip))?;
//! engine.submit(Timestamp::ZERO, Request::new(RequestId(1), vec![7; 100], vec![8; 3]))?;
//!
//! let mut finished = Vec::new();
//! while let Some(at) = engine.next_step_at() {
//!     finished.extend(engine.step(at).finished);
//! }
//! assert_eq!(finished, [RequestId(1)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod blocks;
mod chip;
mod config;
mod events;
mod handoff;
mod metrics;
mod plan;
mod request;
mod scheduler;
mod sequence;
#[cfg(test)]
mod tests;

pub use chip::{ChipProfile, StepLoad};
pub use config::{ConfigError, EngineConfig};
pub use events::KvEvent;
pub use metrics::ModelMetrics;
pub use request::{Request, RequestId, SubmitError};
pub use scheduler::{Admission, EngineModel, StepOutput, Token};

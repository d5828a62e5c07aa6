//! Why an experiment cannot be run.

use std::path::PathBuf;

use crate::{model::ChipProfile, replay::ReplayError, workload::read::TraceError};

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// No chip profile has this name.
    #[error("unknown chip profile `{0}`; known: {known}", known = ChipProfile::names().collect::<Vec<_>>().join(", "))]
    UnknownProfile(String),
    /// The fleet cannot serve a request.
    #[error("the fleet {0}")]
    Fleet(&'static str),
    /// More engines than a fleet may have.
    #[error("the fleet has more than {0} engines")]
    TooManyEngines(usize),
    /// The scenario names nothing to compare.
    #[error("there is no {0}")]
    Nothing(&'static str),
    /// A number of the scenario that makes no sense.
    #[error("`{field}` is {value}, and must be {expected}")]
    Number {
        /// Which one.
        field: &'static str,
        /// As written.
        value: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// A trace that cannot be opened.
    #[error("{}: {error}", file.display())]
    Open {
        /// The trace.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A trace that cannot be read.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// A replay that failed.
    #[error("policy `{policy}`, seed {seed}: {error}")]
    Replay {
        /// The policy.
        policy: String,
        /// The seed.
        seed: u64,
        /// Why.
        error: ReplayError,
    },
}

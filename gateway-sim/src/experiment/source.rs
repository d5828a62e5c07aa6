//! Where the traffic of a scenario comes from.

use std::{fs::File, io::BufReader, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::ExperimentError;
use crate::workload::{
    Draft, Retime,
    generate::{Kind, Traffic},
    read::{Format, read},
};

/// Recorded or generated traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A trace.
    Recorded(Recorded),
    /// A generator; how much of it is the scenario's `traffic`.
    Generated(Kind),
}

/// A trace in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The file.
    pub file: PathBuf,
    /// How it is written.
    pub format: Format,
    /// How much of it is used, and how fast.
    #[serde(default)]
    pub retime: Retime,
}

impl Source {
    /// The requests. The seed matters to generated ones alone.
    ///
    /// # Errors
    /// Where a trace cannot be read.
    pub fn drafts(
        &self,
        traffic: &Traffic,
        block_tokens: u32,
        seed: u64,
    ) -> Result<Vec<Draft>, ExperimentError> {
        match self {
            Self::Generated(kind) => Ok(kind.generate(*traffic, block_tokens, seed)),
            Self::Recorded(recorded) => recorded.drafts(block_tokens),
        }
    }
}

impl Recorded {
    fn drafts(&self, block_tokens: u32) -> Result<Vec<Draft>, ExperimentError> {
        let file = File::open(&self.file).map_err(|error| ExperimentError::Open {
            file: self.file.clone(),
            error,
        })?;
        let name = self.file.display().to_string();
        let trace = read(self.format, &name, BufReader::new(file), block_tokens)?;
        Ok(self.retime.apply(trace.requests))
    }
}

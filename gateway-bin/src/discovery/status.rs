//! What can be told of endpoints and sources.

use gateway_router::discovery::Sightings;
use serde::Serialize;

use crate::config::SourceConfig;

/// The list as it is in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) sources: Vec<SourceStatus>,
    pub(crate) endpoints: Vec<EndpointStatus>,
    /// How many were left out, as their name or address was listed before, or as there were too many.
    pub(crate) left_out: usize,
}

/// A source and how it fares.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SourceStatus {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) up: bool,
    pub(crate) endpoints: usize,
    /// How many more it sees than one source may list.
    pub(crate) left_out: usize,
    pub(crate) failures: u64,
    pub(crate) changes: u64,
    /// When its list changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changed_unix: Option<f64>,
}

impl SourceStatus {
    pub(super) fn of<T>(config: &SourceConfig, now: &Sightings<T>) -> Self {
        Self {
            name: config.name.clone(),
            kind: config.kind.name(),
            up: now.is_up,
            endpoints: now.list.len(),
            left_out: now.left_out,
            failures: now.failures,
            changes: now.changes,
            changed_unix: now.changed_unix,
        }
    }
}

/// An endpoint and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndpointStatus {
    pub(crate) name: String,
    pub(crate) url: String,
    /// `config`, `admin`, or the name of a source.
    pub(crate) source: String,
    /// `listed`, `drained` by an operator, or `leaving`.
    pub(crate) state: &'static str,
}

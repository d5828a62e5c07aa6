//! What `gateway simulate --json` writes, as far as it is told here.

use serde::Deserialize;
use serde_json::Value;

/// `gateway simulate --list --json`.
#[derive(Debug, Deserialize)]
pub(super) struct Listing {
    pub(super) presets: Vec<Preset>,
    pub(super) policies: Vec<Named>,
}

/// A scenario that comes with the gateway.
#[derive(Debug, Deserialize)]
pub(super) struct Preset {
    pub(super) set: Set,
    /// As a scenario file holds it.
    pub(super) scenario: Value,
}

/// What a preset is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Set {
    /// To tune policies on.
    Tuning,
    /// To report results of.
    Reported,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

/// All policies on one scenario.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Comparison {
    pub(super) scenario: String,
    pub(super) about: String,
    pub(super) fleet: String,
    pub(super) workload: Workload,
    pub(super) policies: Vec<Policy>,
}

/// What the traffic is like.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Workload {
    pub(super) requests: usize,
    pub(super) rate: f64,
    pub(super) input_tokens: f64,
    pub(super) output_tokens: f64,
    pub(super) reuse: f64,
}

/// One policy, as the mean over the seeds.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) mean: Measures,
    pub(super) capacity: Option<Capacity>,
}

/// Shares are 0 to 1.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Measures {
    pub(super) ttft_ms: Spread,
    pub(super) tpot_ms: Spread,
    pub(super) e2e_ms: Spread,
    pub(super) hit_rate: f64,
    pub(super) goodput: f64,
}

/// In milliseconds.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Spread {
    pub(super) mean: f64,
    pub(super) p99: f64,
}

/// The highest rate with enough good requests.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Capacity {
    pub(super) requests_per_second: f64,
}

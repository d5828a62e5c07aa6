//! What an experiment gives.

use gateway_core::decider::RoleName;
use serde::{Deserialize, Serialize};

use super::Measures;
use crate::workload::{Facts, Objectives};

/// All policies on one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The scenario's name.
    pub scenario: String,
    /// What it is about.
    pub about: String,
    /// The fleet, in a line.
    pub fleet: String,
    /// What the traffic is like, with the first seed.
    pub workload: Facts,
    /// What requests want.
    pub objectives: Objectives,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The share of good requests that capacity was measured at, where it was.
    pub capacity_goodput: Option<f64>,
    /// One for each policy, in the order they were given.
    pub policies: Vec<PolicyResult>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyResult {
    /// Its name.
    pub name: String,
    /// The means over all seeds.
    pub mean: Measures,
    /// Each seed by itself.
    pub seeds: Vec<SeedResult>,
    /// The time to the first token in milliseconds that 0 %, 1 %, … 100 % of the requests stay within, as the mean over
    /// the seeds; empty where no request was served.
    pub ttft_percentiles_ms: Vec<f64>,
    /// One for each engine, as the mean over the seeds.
    pub engines: Vec<EngineUse>,
    /// The highest rate with enough good requests, where it was looked for.
    pub capacity: Option<Capacity>,
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeedResult {
    /// Its seed.
    pub seed: u64,
    /// Its measures.
    pub measures: Measures,
}

/// How an engine was used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EngineUse {
    /// Its chip profile.
    pub class: String,
    /// Its part of the work.
    pub role: RoleName,
    /// Share of the time in which it worked, 0 to 1.
    pub busy_share: f64,
    /// The largest share of its KV blocks that requests held, 0 to 1.
    pub kv_peak: f64,
}

/// How much a policy can carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// As a multiple of the scenario's rate, as the mean over the seeds.
    pub factor: f64,
    /// In requests a second.
    pub requests_per_second: f64,
    /// Rate factor and goodput of every trial, ascending by factor, over all seeds.
    pub trials: Vec<[f64; 2]>,
}

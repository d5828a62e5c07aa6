//! What is played.

use serde::{Deserialize, Serialize};

use super::{CapacityPlan, ExperimentError, FleetPlan, Source};
use crate::{
    replay::TraceRequest,
    workload::{Objectives, generate::Traffic},
};

/// A fleet, its traffic, and what requests want. `P` is how policies are written: by name alone, or as the caller likes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario<P = String> {
    /// Its name.
    #[serde(default = "unnamed")]
    pub name: String,
    /// What it is about, in a line.
    #[serde(default)]
    pub about: String,
    /// The engines.
    pub fleet: FleetPlan,
    /// Where requests come from.
    pub workload: Source,
    /// How much traffic a generator makes.
    #[serde(default)]
    pub traffic: Traffic,
    /// How many times as fast requests come as the workload says. Pauses inside sessions shrink as well.
    #[serde(default = "one")]
    pub rate: f64,
    /// What requests want.
    #[serde(default)]
    pub objectives: Objectives,
    /// One run for each.
    #[serde(default = "three")]
    pub seeds: Vec<u64>,
    /// What is compared.
    #[serde(default = "Vec::new")]
    pub policies: Vec<P>,
    /// How to look for the highest rate; not at all where unset.
    #[serde(default)]
    pub capacity: Option<CapacityPlan>,
}

fn unnamed() -> String {
    "scenario".to_owned()
}

fn one() -> f64 {
    1.0
}

fn three() -> Vec<u64> {
    vec![1, 2, 3]
}

impl<P> Scenario<P> {
    /// A scenario with default settings and no policies.
    #[must_use]
    pub fn new(name: &str, fleet: FleetPlan, workload: Source) -> Self {
        Self {
            name: name.to_owned(),
            about: String::new(),
            fleet,
            workload,
            traffic: Traffic::default(),
            rate: one(),
            objectives: Objectives::default(),
            seeds: three(),
            policies: Vec::new(),
            capacity: None,
        }
    }

    /// The same with policies of another form.
    #[must_use]
    pub fn with_policies<Q>(self, policies: Vec<Q>) -> Scenario<Q> {
        Scenario {
            name: self.name,
            about: self.about,
            fleet: self.fleet,
            workload: self.workload,
            traffic: self.traffic,
            rate: self.rate,
            objectives: self.objectives,
            seeds: self.seeds,
            policies,
            capacity: self.capacity,
        }
    }

    /// The requests of one seed.
    ///
    /// # Errors
    /// Where a trace cannot be read, or a number makes no sense.
    pub fn trace(&self, seed: u64) -> Result<Vec<TraceRequest>, ExperimentError> {
        self.check()?;
        let drafts = self
            .workload
            .drafts(&self.traffic, self.fleet.block_tokens, seed)?;
        let wanting = |draft: crate::workload::Draft| draft.wanting(&self.objectives);
        let mut trace: Vec<_> = drafts.into_iter().map(wanting).collect();
        retime(&mut trace, self.rate);
        Ok(trace)
    }

    fn check(&self) -> Result<(), ExperimentError> {
        let objectives = &self.objectives;
        let goodput = self.capacity.map_or(0.5, |plan| plan.goodput);
        let above_0 = "a number above 0";
        for (field, value, fine, expected) in [
            ("rate", self.rate, self.rate > 0.0, above_0),
            (
                "traffic.rate",
                self.traffic.rate,
                self.traffic.rate > 0.0,
                above_0,
            ),
            (
                "objectives.ttft_ms",
                objectives.ttft_ms,
                objectives.ttft_ms > 0.0,
                above_0,
            ),
            (
                "objectives.tpot_ms",
                objectives.tpot_ms,
                objectives.tpot_ms > 0.0,
                above_0,
            ),
            (
                "objectives.ttft_ms_per_1k",
                objectives.ttft_ms_per_1k,
                objectives.ttft_ms_per_1k >= 0.0,
                "0 or a number above 0",
            ),
            (
                "capacity.goodput",
                goodput,
                goodput > 0.0 && goodput < 1.0,
                "a share between 0 and 1",
            ),
        ] {
            if !fine || !value.is_finite() {
                return Err(ExperimentError::Number {
                    field,
                    value,
                    expected,
                });
            }
        }
        Ok(())
    }
}

/// Lets time run `rate` times as fast.
pub(super) fn retime(trace: &mut [TraceRequest], rate: f64) {
    for request in trace {
        request.at_seconds /= rate;
    }
}

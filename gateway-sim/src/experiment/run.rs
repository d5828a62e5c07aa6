//! All runs of an experiment.

use super::{
    Capacity, CapacityPlan, Comparison, EngineUse, ExperimentError, Measures, Policy, PolicyResult,
    Progress, Scenario, SeedResult, capacity::Found, jobs, scenario::retime,
};
use crate::{
    replay::{FleetSpec, ReplayReport, TraceRequest, replay},
    workload::Facts,
};

/// Points of the curve of times to the first token, less one.
const PERCENTILES: usize = 100;

/// Plays a scenario under each policy with each of its seeds, on all cores. The scenario's own list of policies is not
/// looked at: a router is code.
///
/// # Errors
/// Where the scenario makes no sense, a trace cannot be read, or a router answers nonsense.
pub fn run<P: Sync>(
    scenario: &Scenario<P>,
    policies: &[Policy],
    progress: &Progress,
) -> Result<Comparison, ExperimentError> {
    if policies.is_empty() {
        return Err(ExperimentError::Nothing("policy"));
    }
    if scenario.seeds.is_empty() {
        return Err(ExperimentError::Nothing("seed"));
    }
    let stage = Stage {
        fleet: scenario.fleet.spec()?,
        traces: jobs::all(scenario.seeds.len(), |at| {
            scenario.trace(scenario.seeds[at])
        })?,
        seeds: &scenario.seeds,
        policies,
        progress,
    };
    let facts = Facts::of(&stage.traces[0]);
    if facts.requests == 0 {
        return Err(ExperimentError::Nothing("request in the workload"));
    }
    let runs = stage.runs()?;
    let found = match &scenario.capacity {
        Some(plan) => stage.capacities(plan, &runs)?,
        None => Vec::new(),
    };
    let seeds = scenario.seeds.len();
    let result = |(at, policy): (usize, &Policy)| {
        let own = at * seeds..(at + 1) * seeds;
        let found = found.get(own.clone()).unwrap_or_default();
        summed(&policy.name, &scenario.seeds, &runs[own], found, facts.rate)
    };
    Ok(Comparison {
        scenario: scenario.name.clone(),
        about: scenario.about.clone(),
        fleet: fleet_line(scenario),
        workload: facts,
        objectives: scenario.objectives,
        seeds: scenario.seeds.clone(),
        capacity_goodput: scenario.capacity.map(|plan| plan.goodput),
        policies: policies.iter().enumerate().map(result).collect(),
    })
}

/// What all runs have in common. Run `p * seeds + s` is that of policy `p` with seed `s`.
struct Stage<'a> {
    fleet: FleetSpec,
    traces: Vec<Vec<TraceRequest>>,
    seeds: &'a [u64],
    policies: &'a [Policy],
    progress: &'a Progress,
}

/// What is kept of a run.
struct Run {
    measures: Measures,
    percentiles: Vec<f64>,
    engines: Vec<EngineUse>,
}

impl Stage<'_> {
    fn runs(&self) -> Result<Vec<Run>, ExperimentError> {
        let count = self.policies.len() * self.seeds.len();
        self.progress.expect(count);
        jobs::all(count, |at| {
            let trace = &self.traces[at % self.seeds.len()];
            let report = self.replay(at, trace)?;
            self.progress.job();
            Ok(Run {
                measures: Measures::of(&report),
                percentiles: percentiles(&report),
                engines: self.engines(&report),
            })
        })
    }

    fn capacities(&self, plan: &CapacityPlan, runs: &[Run]) -> Result<Vec<Found>, ExperimentError> {
        self.progress.expect(runs.len());
        jobs::all(runs.len(), |at| {
            let goodput_at = |factor| -> Result<f64, ExperimentError> {
                let mut trace = self.traces[at % self.seeds.len()].clone();
                retime(&mut trace, factor);
                Ok(self.replay(at, &trace)?.goodput())
            };
            let found = plan.search(runs[at].measures.goodput, goodput_at)?;
            self.progress.job();
            Ok(found)
        })
    }

    fn replay(&self, at: usize, trace: &[TraceRequest]) -> Result<ReplayReport, ExperimentError> {
        let policy = &self.policies[at / self.seeds.len()];
        let seed = self.seeds[at % self.seeds.len()];
        let mut router = policy.router(seed);
        let mut heard = |_| self.progress.request();
        let report = replay(&self.fleet, trace, &mut *router, &mut heard).map_err(|error| {
            ExperimentError::Replay {
                policy: policy.name.clone(),
                seed,
                error,
            }
        })?;
        self.progress.replay();
        Ok(report)
    }

    fn engines(&self, report: &ReplayReport) -> Vec<EngineUse> {
        let pairs = self.fleet.engines.iter().zip(&report.engines);
        pairs
            .map(|(spec, engine)| EngineUse {
                class: spec.class.clone(),
                role: spec.role,
                busy_share: engine.busy_share,
                kv_peak: engine.kv_peak,
            })
            .collect()
    }
}

fn summed(name: &str, seeds: &[u64], runs: &[Run], found: &[Found], rate: f64) -> PolicyResult {
    let measures: Vec<_> = runs.iter().map(|run| run.measures).collect();
    let mut engines = runs[0].engines.clone();
    for (at, engine) in engines.iter_mut().enumerate() {
        engine.busy_share = mean(runs.iter().map(|run| run.engines[at].busy_share));
        engine.kv_peak = mean(runs.iter().map(|run| run.engines[at].kv_peak));
    }
    let served = || runs.iter().filter(|run| !run.percentiles.is_empty());
    let curve = (0..=PERCENTILES).map(|at| mean(served().map(|run| run.percentiles[at])));
    PolicyResult {
        name: name.to_owned(),
        mean: Measures::mean(&measures),
        seeds: seeds
            .iter()
            .zip(measures)
            .map(|(&seed, measures)| SeedResult { seed, measures })
            .collect(),
        ttft_percentiles_ms: if served().next().is_some() {
            curve.collect()
        } else {
            Vec::new()
        },
        engines,
        capacity: (!found.is_empty()).then(|| capacity(found, rate)),
    }
}

fn capacity(found: &[Found], rate: f64) -> Capacity {
    let factor = mean(found.iter().map(|one| one.factor));
    let mut trials: Vec<_> = found.iter().flat_map(|one| one.trials.clone()).collect();
    trials.sort_by(|a, b| a[0].total_cmp(&b[0]));
    Capacity {
        factor,
        requests_per_second: factor * rate,
        trials,
    }
}

/// Times to the first token in milliseconds at 0 %, 1 %, … 100 % of the requests that had one.
fn percentiles(report: &ReplayReport) -> Vec<f64> {
    let ms = |record: &crate::replay::ReplayRecord| Some(record.ttft()?.as_secs_f64() * 1_000.0);
    let mut times: Vec<f64> = report.records.iter().filter_map(ms).collect();
    times.sort_by(f64::total_cmp);
    if times.is_empty() {
        return times;
    }
    let last = times.len() - 1;
    (0..=PERCENTILES)
        .map(|percent| times[last * percent / PERCENTILES])
        .collect()
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// `4x8b-h100, 2x8b-l40s decode`.
fn fleet_line<P>(scenario: &Scenario<P>) -> String {
    use gateway_core::decider::RoleName;
    let group = |group: &super::ChipGroup| {
        let role = match group.role {
            RoleName::Both => "",
            RoleName::Prefill => " prefill",
            RoleName::Decode => " decode",
        };
        format!("{}x{}{role}", group.count, group.profile)
    };
    let groups: Vec<_> = scenario.fleet.engines.iter().map(group).collect();
    groups.join(", ")
}

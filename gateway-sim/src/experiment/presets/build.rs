//! Putting presets together.

use crate::{
    experiment::{ChipGroup, FleetPlan, Scenario, Source, parse_chips},
    workload::{Arrivals, Objectives, generate::Kind},
};

/// How long the traffic of a preset lasts, in seconds.
const SECONDS: f64 = 180.0;
/// Fewer requests than this say little about the slowest one in a hundred.
const REQUESTS_AT_LEAST: usize = 2_000;

/// What a preset is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// To tune policies on.
    Tuning,
    /// To report results of, and never to tune on.
    Reported,
}

/// A scenario that comes with the crate.
#[derive(Clone, Debug)]
pub struct Preset {
    /// What it is for.
    pub set: Set,
    /// The scenario; its name and `about` say what it is.
    pub scenario: Scenario,
}

impl Preset {
    /// `chips` as for [`parse_chips`]; `rate` in requests a second.
    pub(super) fn new(
        set: Set,
        name: &str,
        about: &str,
        chips: &str,
        kind: Kind,
        rate: f64,
    ) -> Self {
        let groups = parse_chips(chips).expect("presets name chips that there are");
        let workload = Source::Generated(kind);
        let mut scenario = Scenario::new(name, FleetPlan::new(groups), workload);
        about.clone_into(&mut scenario.about);
        scenario.traffic.requests = in_seconds(rate);
        scenario.traffic.rate = rate;
        scenario.objectives = Objectives {
            ttft_ms: 2_000.0,
            ttft_ms_per_1k: 200.0,
            tpot_ms: 50.0,
        };
        Self { set, scenario }
    }

    /// Real traffic is burstier than chance.
    pub(super) fn bursty(mut self, cv: f64) -> Self {
        self.scenario.traffic.arrivals = Arrivals::Gamma { cv };
        self
    }

    pub(super) fn wants(mut self, ttft_ms: f64, ttft_ms_per_1k: f64, tpot_ms: f64) -> Self {
        self.scenario.objectives = Objectives {
            ttft_ms,
            ttft_ms_per_1k,
            tpot_ms,
        };
        self
    }

    /// Changes the fleet.
    pub(super) fn fleet(mut self, change: impl FnOnce(&mut FleetPlan)) -> Self {
        change(&mut self.scenario.fleet);
        self
    }

    /// Makes one engine of the first group slow, from some time on.
    pub(super) fn one_slow(self, factor: f64, from_seconds: f64) -> Self {
        self.fleet(|fleet| {
            fleet.engines[0].count -= 1;
            let mut slow = ChipGroup {
                count: 1,
                ..fleet.engines[0].clone()
            };
            slow.slow.push(crate::experiment::Slow {
                factor,
                from_seconds,
                to_seconds: None,
            });
            fleet.engines.push(slow);
        })
    }

    /// Routers are told nothing but what they see themselves.
    pub(super) fn blind(self) -> Self {
        self.fleet(|fleet| {
            fleet.telemetry_every_seconds = 0.0;
            fleet.kv_events = false;
            fleet.nameplates = false;
        })
    }
}

/// Requests that come in the time a preset is to play.
fn in_seconds(rate: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "presets have rates below a hundred"
    )]
    let requests = (rate * SECONDS) as usize;
    requests.max(REQUESTS_AT_LEAST)
}

//! What a schedule is made of, all of it drawn from its seed.

use std::{sync::Arc, time::Duration};

use gateway_router::{
    AdmissionSettings, Fallback, HedgeAfter, HedgeSettings, PairSettings, RouterSettings,
    TransferSettings,
    core::{
        Pipelines, Registry, Rng, Role, Stage,
        admission::AdmissionPolicy,
        pipeline::{ModelPipelines, PipelinesSpec, SplitRule},
    },
    proto::{
        engines::{TokenCall, transfer::Connector},
        ir::{Format, LogprobsAsked},
    },
};

use crate::{
    common::rig::{self, NAMES},
    engine::Room,
    fault::{self, Turn},
};

/// The connectors whose hand-overs the engines here know.
pub(crate) const CONNECTORS: [Connector; 4] = [
    Connector::Nixl,
    Connector::Mooncake,
    Connector::Sglang,
    Connector::TrtLlm,
];

/// One schedule.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// One engine, the last, serves throughout, and nothing is stinted: only what no router can help may fail.
    pub(crate) is_sheltered: bool,
    pub(crate) settings: RouterSettings,
    pub(crate) engines: Vec<EnginePlan>,
    pub(crate) callers: Vec<CallerPlan>,
    /// Whether engines tell what their caches hold, rightly and wrongly.
    pub(crate) has_feeds: bool,
    /// How prompts are handed over, where the first engines are halves of pairs.
    pub(crate) connector: Option<Connector>,
    /// Which requests are to go to pairs.
    pub(crate) split: SplitRule,
}

pub(crate) struct EnginePlan {
    pub(crate) name: &'static str,
    pub(crate) room: Room,
    pub(crate) tells_usage: bool,
    pub(crate) turns: Vec<Turn>,
    pub(crate) feed_seed: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct CallerPlan {
    pub(crate) id: Arc<str>,
    pub(crate) comes: Duration,
    /// After how long the caller leaves, whatever has come.
    pub(crate) leaves: Option<Duration>,
    pub(crate) stream: bool,
    pub(crate) call: TokenCall,
    pub(crate) route: Route,
    /// Whether the end of the exchange is waited for beside the caller.
    pub(crate) drains: bool,
    /// Matters where requests wait for room.
    pub(crate) priority: i8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// By tokens; the reader may have enough after so many of all choices.
    Tokens { enough: Option<usize> },
    /// By the chat route, in text.
    Chat,
}

pub(crate) fn millis(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    let span = usize::try_from(range.end - range.start).expect("small");
    Duration::from_millis(range.start + rng.below(span) as u64)
}

pub(crate) fn one_in(rng: &mut Rng, times: usize) -> bool {
    rng.below(times) == 0
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = Rng::from_seed(seed);
        let is_sheltered = !one_in(&mut rng, 3);
        let count = 3 + rng.below(3);
        let engines = (0..count).map(|at| {
            let is_steady = is_sheltered && at + 1 == count;
            EnginePlan::drawn(NAMES[at], is_steady, &mut rng)
        });
        let engines: Vec<_> = engines.collect();
        let requests = 6 + rng.below(7);
        let callers = (0..requests).map(|at| CallerPlan::drawn(at, &mut rng));
        let mut callers: Vec<_> = callers.collect();
        let mut settings = common_settings(count, &mut rng);
        if !is_sheltered {
            stint(&mut settings, &mut rng);
        }
        let connector = one_in(&mut rng, 3).then(|| CONNECTORS[rng.below(CONNECTORS.len())]);
        let mut split = SplitRule::Never;
        if let Some(connector) = connector {
            let halves = 2 + rng.below(count - 2);
            split = pair(&mut settings, connector, halves, &mut rng);
        }
        let has_feeds = one_in(&mut rng, 3);
        if one_in(&mut rng, 3) {
            let after = HedgeAfter::Span(millis(&mut rng, 50..900));
            settings.hedges.general = Some(HedgeSettings::after(after));
        }
        if one_in(&mut rng, 3) {
            admit(&mut settings, &mut callers, is_sheltered, &mut rng);
        }
        Self {
            seed,
            is_sheltered,
            settings,
            engines,
            callers,
            has_feeds,
            connector,
            split,
        }
    }
}

impl Plan {
    /// Whether the engine may be half of a pair.
    pub(crate) fn is_half(&self, engine: &str) -> bool {
        let mut endpoints = self.settings.endpoints.iter();
        endpoints.any(|one| one.spec.name == engine && one.transfer.is_some())
    }
}

impl EnginePlan {
    fn drawn(name: &'static str, is_steady: bool, rng: &mut Rng) -> Self {
        let small = Room {
            slots: 1 + rng.below(8),
            blocks: 12 + rng.below(60),
        };
        let ample = Room {
            slots: 64,
            blocks: 4_096,
        };
        let turns = if is_steady { 0 } else { rng.below(6) };
        Self {
            name,
            room: if is_steady { ample } else { small },
            tells_usage: one_in(rng, 2),
            turns: (0..turns).map(|_| fault::drawn(rng)).collect(),
            feed_seed: rng.next_u64(),
        }
    }
}

impl CallerPlan {
    fn drawn(at: usize, rng: &mut Rng) -> Self {
        let is_chat = one_in(rng, 4);
        let enough = one_in(rng, 8).then(|| 1 + rng.below(12));
        let route = if is_chat {
            Route::Chat
        } else {
            Route::Tokens { enough }
        };
        let max_tokens = 1 + rng.below(32) as u64;
        // Conversations begin alike, so that there is something to find in a cache.
        let (shared, own) = (16 * rng.below(4), 1 + rng.below(12));
        let own = (0..own).map(|_| b'a' as u32 + rng.below(26) as u32);
        let prompt: Vec<u32> = (0..shared)
            .map(|at| b'A' as u32 + at as u32)
            .chain(own)
            .collect();
        let mut call = TokenCall::new("m", prompt, max_tokens);
        if !is_chat {
            choose(&mut call, rng);
        }
        Self {
            id: format!("r{at}").into(),
            comes: millis(rng, 0..3_000),
            leaves: one_in(rng, 8).then(|| millis(rng, 1..1_500)),
            stream: !one_in(rng, 4),
            call,
            route,
            drains: one_in(rng, 2),
            priority: 0,
        }
    }
}

/// What else a call may ask for.
fn choose(call: &mut TokenCall, rng: &mut Rng) {
    if one_in(rng, 5) {
        call.sampling.n = Some(2 + rng.below(2) as u32);
    }
    if call.sampling.n.is_some() || one_in(rng, 2) {
        call.sampling.seed = Some(rng.below(1_000) as i64);
    }
    if one_in(rng, 4) {
        call.sampling.min_tokens = Some(rng.below(10) as u64);
    }
    if one_in(rng, 4) {
        call.logprobs = Some(LogprobsAsked { top: 0 });
    }
    if one_in(rng, 8) {
        call.format = Format::JsonObject;
    }
}

/// Deadlines that faults run into, and all else in plenty.
fn common_settings(engines: usize, rng: &mut Rng) -> RouterSettings {
    let nowhere: Vec<_> = (0..engines).map(|_| ([127, 0, 0, 1], 9).into()).collect();
    let mut settings = rig::settings(&nowhere);
    let plain = RouterSettings::default();
    if one_in(rng, 2) {
        settings.pipelines = Pipelines::default();
    }
    if one_in(rng, 2) {
        settings.fleet.health = plain.fleet.health;
    }
    settings.deadlines.first_byte = Duration::from_secs(1);
    settings.deadlines.idle = Duration::from_secs(1);
    settings.deadlines.total = Duration::from_secs(120);
    settings.watch.probe_every = Duration::from_millis(500);
    settings.watch.probe_timeout = Duration::from_millis(500);
    settings.watch.telemetry_every = Duration::from_millis(500);
    settings.watch.telemetry_timeout = Duration::from_millis(500);
    settings.retry.attempts = 8;
    settings.retry.budget_burst = 1_000;
    settings.migration.attempts = 32;
    settings
}

/// Makes a decode engine of the second and prefill engines of the others of the first `halves`; the rest do both.
fn pair(
    settings: &mut RouterSettings,
    connector: Connector,
    halves: usize,
    rng: &mut Rng,
) -> SplitRule {
    for (at, endpoint) in settings.endpoints[..halves].iter_mut().enumerate() {
        endpoint.spec.role = if at == 1 { Role::Decode } else { Role::Prefill };
        endpoint.transfer = Some(TransferSettings::new(connector));
        endpoint.spec.is_half = !connector.serves_whole();
    }
    let split = match rng.below(6) {
        0 => SplitRule::Predicted,
        1 | 2 => SplitRule::AboveUncachedTokens(16),
        _ => SplitRule::Always,
    };
    let spec = PipelinesSpec {
        split: Some(split),
        ..PipelinesSpec::default()
    };
    let pipelines = ModelPipelines::build(&Registry::builtin(), &spec).expect("valid");
    settings.pipelines = Pipelines::new(pipelines.with(Stage::Unified, rig::in_listed_order()));
    settings.pairs.general = PairSettings {
        fallback: match rng.below(8) {
            0 => Fallback::Never,
            1 => Fallback::CombinedPool,
            _ => Fallback::SinglePhase,
        },
        prefill: Duration::from_secs(1),
        decode: Duration::from_secs(1),
        grace: Duration::from_secs(1),
    };
    split
}

/// Has requests wait for engines that take few, in the order of what they matter alone.
fn admit(
    settings: &mut RouterSettings,
    callers: &mut [CallerPlan],
    is_sheltered: bool,
    rng: &mut Rng,
) {
    let default = AdmissionPolicy::default();
    let mut limits = *default.limits();
    if !is_sheltered {
        limits.requests = 2 + rng.below(8) as u32;
    }
    let mut classes = default.classes().to_vec();
    for class in &mut classes {
        class.share = 0.0;
        class.requests = limits.requests;
    }
    let policy = AdmissionPolicy::new(limits, classes).expect("makes sense");
    let mut admission = AdmissionSettings {
        policy: policy.into(),
        ..AdmissionSettings::default()
    };
    admission.room.requests = Some(1 + rng.below(3) as u32);
    settings.admission = Some(admission);
    for caller in callers {
        caller.priority = [5, 0, -5][rng.below(3)];
        // Closer together, so that some find none, and at whole ticks of the timer.
        caller.comes = Duration::from_millis(caller.comes.as_millis() as u64 / 4);
    }
}

/// Limits that are reached.
fn stint(settings: &mut RouterSettings, rng: &mut Rng) {
    settings.deadlines.total = millis(rng, 1_000..20_000);
    settings.retry.attempts = 1 + rng.below(4) as u32;
    settings.retry.budget_burst = rng.below(8) as u32;
    settings.retry.budget_ratio = [0.0, 0.2, 1.0][rng.below(3)];
    settings.migration.enabled = !one_in(rng, 6);
    settings.migration.attempts = rng.below(4) as u32;
    settings.migration.budget_burst = rng.below(8) as u32;
    settings.migration.budget_ratio = [0.0, 0.2, 1.0][rng.below(3)];
}

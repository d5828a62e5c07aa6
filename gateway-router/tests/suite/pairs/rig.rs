//! A router over engines that serve in pairs, in virtual time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use gateway_router::{
    Cleanup, EndpointSettings, Fallback, PairSettings, RouteError, RouteReply, RouterSettings,
    TransferSettings,
    core::{
        Pipelines, Registry, Role, Stage,
        health::Availability,
        pipeline::{ModelPipelines, PipelinesSpec, SplitRule},
    },
    engine::EngineClient,
    proto::engines::transfer::Connector,
};

use super::{
    dresult,
    engine::{Act, PairEngine, SharedWorld, lock},
};
use crate::common::rig::{self, Rig};

/// An endpoint of a test: its name says what it is, `p`, `d` or `u`.
pub(super) type Part = (&'static str, Act);

pub(super) struct PairRig {
    pub(super) rig: Rig,
    pub(super) world: SharedWorld,
    /// What the router thought of its engines when the request had just been answered; probes change its mind later.
    seen: Mutex<BTreeMap<&'static str, Availability>>,
}

/// How long legs may take here.
pub(super) const PREFILL: Duration = Duration::from_secs(10);
pub(super) const DECODE: Duration = Duration::from_secs(20);
pub(super) const GRACE: Duration = Duration::from_secs(5);

impl PairRig {
    pub(super) fn new(connector: Connector, parts: &[Part]) -> Self {
        Self::with(connector, parts, Fallback::SinglePhase)
    }

    pub(super) fn with(connector: Connector, parts: &[Part], fallback: Fallback) -> Self {
        let mut settings = settings(connector, parts);
        settings.pairs.general.fallback = fallback;
        Self::of(settings, parts)
    }

    /// With so many attempts at most of what is no pair.
    pub(super) fn with_retries(connector: Connector, parts: &[Part], attempts: u32) -> Self {
        let mut settings = settings(connector, parts);
        settings.retry.attempts = attempts;
        Self::of(settings, parts)
    }

    pub(super) fn of(settings: RouterSettings, parts: &[Part]) -> Self {
        let world = SharedWorld::default();
        let engines: Vec<_> = parts
            .iter()
            .map(|&(name, act)| {
                Arc::new(PairEngine {
                    name,
                    act: Mutex::new(act),
                    world: Arc::clone(&world),
                })
            })
            .collect();
        let find = move |told: &EndpointSettings| -> Option<Arc<dyn EngineClient>> {
            let mut all = engines.iter();
            let found = all.find(|engine| engine.name == told.spec.name)?;
            Some(Arc::clone(found) as Arc<dyn EngineClient>)
        };
        Self {
            rig: Rig::driving(settings, find),
            world,
            seen: Mutex::default(),
        }
    }

    /// A stream, read to its end; `None` where it was none.
    pub(super) async fn stream(&self) -> Result<String, RouteError> {
        let reply = self.rig.ask_for_stream().await?;
        Ok(said(rig::text(reply).await))
    }

    pub(super) async fn ask(&self) -> Result<RouteReply, RouteError> {
        self.rig.ask().await
    }

    pub(super) fn legs(&self) -> Vec<(&'static str, &'static str)> {
        lock(&self.world).legs.clone()
    }

    pub(super) fn note_health(&self, parts: &[Part]) {
        let mut seen = self.seen.lock().expect("no test panics in between");
        for (name, _) in parts {
            seen.insert(name, self.rig.availability(name));
        }
    }

    pub(super) fn health(&self, name: &str) -> Availability {
        self.seen.lock().expect("no test panics in between")[name]
    }

    /// How the only request was served, in the words of the header that tells it.
    pub(super) fn told(&self) -> String {
        let pair = self.rig.reports.only().pair;
        pair.map_or_else(|| "none".to_owned(), |pair| pair.to_string())
    }

    pub(super) fn cleanups(&self) -> Vec<(String, Cleanup)> {
        self.rig.reports.cleanups()
    }

    /// Requests on the books of an endpoint.
    pub(super) fn booked(&self, name: &str) -> u32 {
        let fleet = self.rig.router.fleet();
        let endpoint = fleet.by_name(name).expect("listed");
        endpoint.state().in_flight().requests
    }

    /// Nothing is booked, and nothing waits.
    pub(super) async fn assert_idle(&self) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.rig.assert_idle();
    }
}

/// The words of an answer, streamed or whole.
pub(super) fn said(text: String) -> String {
    for word in ["Hello", "Wrong"] {
        if text.contains(word) {
            return word.to_owned();
        }
    }
    text
}

pub(super) fn settings(connector: Connector, parts: &[Part]) -> RouterSettings {
    let nowhere = ([127, 0, 0, 1], 9).into();
    let endpoint = |&(name, _): &Part| {
        let mut endpoint = rig::endpoint(name, nowhere);
        endpoint.spec.role = match name.as_bytes()[0] {
            b'p' => Role::Prefill,
            b'd' => Role::Decode,
            _ => Role::Unified,
        };
        if endpoint.spec.role != Role::Unified {
            let mut by = TransferSettings::new(connector);
            if connector == Connector::MindIe {
                by.bootstrap.0 = Some(dresult::address_of(name));
            }
            endpoint.transfer = Some(by);
            endpoint.spec.is_half = !connector.serves_whole();
        }
        endpoint
    };
    let spec = PipelinesSpec {
        split: Some(SplitRule::Always),
        ..PipelinesSpec::default()
    };
    let pipelines = ModelPipelines::build(&Registry::builtin(), &spec).expect("valid");
    let mut settings = RouterSettings {
        endpoints: parts.iter().map(endpoint).collect(),
        pipelines: Pipelines::new(pipelines.with(Stage::Unified, rig::in_listed_order())),
        ..RouterSettings::default()
    };
    settings.fleet.health.open_after = 1;
    settings.pairs.general = PairSettings {
        fallback: Fallback::SinglePhase,
        prefill: PREFILL,
        decode: DECODE,
        grace: GRACE,
    };
    settings
}

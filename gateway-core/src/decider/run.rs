//! The router that messages drive.

use std::collections::HashMap;

use super::{
    Answer, Ask, Finish, FirstToken, Init, KvNote, Message, Phase, PrefillDone, RequestNumber,
    TelemetryNote, chains::Chains, moments::Moments, numbered::Numbered, past::Past,
};
use crate::{
    BlockHash, EndpointId, Explanation, NoEndpoint, Objectives, Pipelines, Placement, Rng, RouteCx,
    Stage, Timestamp,
    load::Telemetry,
    pipeline::PairPlacement,
    residency::{Tier, Trust},
};

/// Requests in flight that are remembered; beyond it the oldest are taken for lost.
const FLIGHTS: usize = 1 << 20;

/// What made a message meaningless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// A message that needs a fleet came before one.
    #[error("`{0}` came before `init`; send the fleet first")]
    NoFleet(&'static str),
    /// The fleet is none.
    #[error("init: {0}")]
    Fleet(String),
}

/// The decision core driven by messages; see the [module](super).
#[derive(Debug)]
pub struct Decider {
    policy: Policy,
    seed: u64,
    explains: bool,
    world: Option<World>,
}

/// A fleet and what is in flight on it.
#[derive(Debug)]
struct World {
    numbered: Numbered,
    rng: Rng,
    moments: Moments,
    past: Vec<Past>,
    chains: Chains,
    flights: HashMap<RequestNumber, Flight>,
    block_tokens: u32,
}

/// The load of one request: one placement, or the two of a pair.
#[derive(Debug, Default)]
struct Flight {
    prefill: Option<Placement>,
    /// Where the output comes from.
    serving: Option<Placement>,
}

/// Whose decisions are asked for.
#[derive(Debug)]
struct Policy {
    pipelines: Pipelines,
    model: String,
}

/// An answer, with its record where that was asked for.
pub type Decided = (Answer, Option<Explanation>);

type Placed = (Result<Flight, NoEndpoint>, Option<Explanation>);

impl Decider {
    /// A router with these pipelines for `model`, whose answers follow from its input and `seed`.
    #[must_use]
    pub fn new(pipelines: Pipelines, model: impl Into<String>, seed: u64) -> Self {
        Self {
            policy: Policy {
                pipelines,
                model: model.into(),
            },
            seed,
            explains: false,
            world: None,
        }
    }

    /// Asks for the record of each decision.
    #[must_use]
    pub fn explaining(mut self) -> Self {
        self.explains = true;
        self
    }

    /// Takes a message; gives the answer to a request, with its record where that was asked for.
    ///
    /// # Errors
    /// Where the message makes no sense.
    pub fn message(&mut self, message: &Message) -> Result<Option<Decided>, DecideError> {
        match message {
            Message::Init(init) => self.init(init)?,
            Message::Telemetry(note) => self.telemetry(note)?,
            Message::Kv(note) => self.kv(note)?,
            Message::PrefillDone(note) => self.prefill_done(note)?,
            Message::FirstToken(note) => self.first_token(note)?,
            Message::Finish(note) => self.finish(note)?,
            Message::Route { req } => return self.route(req).map(Some),
        }
        Ok(None)
    }

    /// Starts over with a fleet.
    ///
    /// # Errors
    /// Where two engines share a number or there are too many.
    pub fn init(&mut self, init: &Init) -> Result<(), DecideError> {
        let numbered = Numbered::new(init, &self.policy.model)?;
        self.world = Some(World {
            past: (0..numbered.len()).map(|_| Past::default()).collect(),
            numbered,
            rng: Rng::from_seed(self.seed),
            moments: Moments::default(),
            chains: Chains::default(),
            flights: HashMap::new(),
            block_tokens: init.block_size.max(1),
        });
        Ok(())
    }

    /// Answers a request.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn route(&mut self, ask: &Ask) -> Result<Decided, DecideError> {
        let world = self.world.as_mut().ok_or(DecideError::NoFleet("route"))?;
        Ok(world.route(ask, &self.policy, self.explains))
    }

    /// Takes an engine's own word.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn telemetry(&mut self, note: &TelemetryNote) -> Result<(), DecideError> {
        self.world("telemetry")?.telemetry(note);
        Ok(())
    }

    /// Takes changes of an engine's cache.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn kv(&mut self, note: &KvNote) -> Result<(), DecideError> {
        self.world("kv")?.kv(note);
        Ok(())
    }

    /// The prefill half of a split request is done.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn prefill_done(&mut self, note: &PrefillDone) -> Result<(), DecideError> {
        self.world("prefill_done")?.prefill_done(note);
        Ok(())
    }

    /// A request's first token is there.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn first_token(&mut self, note: &FirstToken) -> Result<(), DecideError> {
        self.world("first_token")?.first_token(note);
        Ok(())
    }

    /// A request ended.
    ///
    /// # Errors
    /// Where no fleet came before.
    pub fn finish(&mut self, note: &Finish) -> Result<(), DecideError> {
        self.world("finish")?.finish(note);
        Ok(())
    }

    fn world(&mut self, message: &'static str) -> Result<&mut World, DecideError> {
        self.world.as_mut().ok_or(DecideError::NoFleet(message))
    }
}

impl World {
    fn telemetry(&mut self, note: &TelemetryNote) {
        let Some((id, endpoint)) = self.numbered.find(note.engine) else {
            return;
        };
        let count = |value: Option<f64>| value.filter(|n| n.is_finite() && *n >= 0.0);
        let reading = Telemetry {
            running: count(note.running).map(|n| n as u32),
            waiting: count(note.waiting).map(|n| n as u32),
            kv_used: count(note.kv_usage)
                .filter(|share| *share <= 1.5)
                .map(|share| share as f32),
            kv_capacity_tokens: endpoint.spec().hardware.kv_tokens,
            block_tokens: Some(self.block_tokens),
            prompt_tokens: count(note.prompt_tokens_total).map(|n| n as u64),
            generation_tokens: count(note.generation_tokens_total).map(|n| n as u64),
            ..Telemetry::default()
        };
        let mark = self.past[id.index()].mark(self.moments.past(note.now));
        endpoint.state().apply(&mark, &reading);
    }

    fn kv(&mut self, note: &KvNote) {
        let Some((id, _)) = self.numbered.find(note.engine) else {
            return;
        };
        let residency = self.numbered.fleet().residency();
        residency.set_trust(id, Trust::Exact);
        let lag = self.moments.latest().since(self.moments.past(note.now));
        residency.set_lag(id, lag);
        let hashes = |ids: &[u64]| ids.iter().copied().map(BlockHash).collect::<Vec<_>>();
        residency.removed(id, Tier::Device, &hashes(&note.removed));
        residency.removed(id, Tier::Host, &hashes(&note.host_removed));
        for (tier, stored) in [
            (Tier::Device, &note.stored),
            (Tier::Host, &note.host_stored),
        ] {
            self.chains.split(stored, |parent, stretch| {
                residency.stored(id, tier, parent, stretch);
            });
        }
    }

    fn prefill_done(&mut self, note: &PrefillDone) {
        let now = self.moments.now(note.now);
        let Some(flight) = self.flights.get_mut(&note.id) else {
            return;
        };
        if let Some(mut placement) = flight.prefill.take() {
            placement.first_token(note.cached, now);
            self.past_of(placement.endpoint().id(), move || drop(placement), now);
        }
    }

    fn first_token(&mut self, note: &FirstToken) {
        let now = self.moments.now(note.now);
        let Some(flight) = self.flights.get_mut(&note.id) else {
            return;
        };
        if let Some(placement) = &mut flight.serving {
            placement.first_token(note.cached, now);
            let id = placement.endpoint().id();
            self.past_of(id, || (), now);
        }
    }

    fn finish(&mut self, note: &Finish) {
        let now = self.moments.now(note.now);
        let Some(flight) = self.flights.remove(&note.id) else {
            return;
        };
        if let Some(mut placement) = flight.serving {
            placement.finished(note.output, now);
            self.past_of(placement.endpoint().id(), move || drop(placement), now);
        }
    }

    /// Does something to an engine's load and notes the load after it.
    fn past_of(&mut self, id: EndpointId, change: impl FnOnce(), now: Timestamp) {
        change();
        if let Some(endpoint) = self.numbered.fleet().by_id(id) {
            self.past[id.index()].note(now, endpoint.state().in_flight());
        }
    }

    fn route(&mut self, ask: &Ask, policy: &Policy, explains: bool) -> Decided {
        let now = self.moments.now(ask.now);
        self.chains.learn(&ask.hashes);
        let blocks: Vec<_> = ask.hashes.iter().copied().map(BlockHash).collect();
        let among = self.numbered.ids_of(ask.cands.as_deref());
        let cx = RouteCx::new(&policy.model, now)
            .prompt(ask.input.max(1), &blocks, self.block_tokens)
            .objectives(Objectives {
                ttft_ms: ask.ttft_slo_ms.map(|ms| ms as f32),
                tpot_ms: ask.tpot_slo_ms.map(|ms| ms as f32),
                deadline_ms: None,
            })
            .among(&among);
        let (placed, record) = match ask.phase {
            Phase::Both => self.place_one(policy, &cx, explains),
            Phase::Prefill => {
                let decode = self.numbered.ids_of(ask.decode_cands.as_deref());
                self.place_pair(policy, &cx, &decode, explains)
            }
        };
        let Ok(flight) = placed else {
            let rejected = Answer::Reject {
                id: ask.id,
                reject: true,
            };
            return (rejected, record);
        };
        let answer = self.answer(ask, &flight);
        for id in [&flight.prefill, &flight.serving]
            .into_iter()
            .flatten()
            .map(|p| p.endpoint().id())
            .collect::<Vec<_>>()
        {
            self.past_of(id, || (), now);
        }
        if self.flights.len() >= FLIGHTS {
            self.flights.clear();
        }
        self.flights.insert(ask.id, flight);
        (answer, record)
    }

    fn place_one(&mut self, policy: &Policy, cx: &RouteCx<'_>, explains: bool) -> Placed {
        let pipeline = policy.pipelines.of(&policy.model, Stage::Unified);
        let fleet = self.numbered.fleet();
        let (placed, record) = if explains {
            let (placed, record) = pipeline.place_explained(fleet, cx, &mut self.rng);
            (placed, Some(record))
        } else {
            (pipeline.place(fleet, cx, &mut self.rng), None)
        };
        let flight = placed.map(|placement| Flight {
            prefill: None,
            serving: Some(placement),
        });
        (flight, record)
    }

    fn place_pair(
        &mut self,
        policy: &Policy,
        cx: &RouteCx<'_>,
        decode: &[EndpointId],
        explains: bool,
    ) -> Placed {
        let stages = policy.pipelines.stages(&policy.model);
        let fleet = self.numbered.fleet();
        let mut record = explains.then(Explanation::default);
        let placed = stages.place(fleet, cx, decode, &mut self.rng, record.as_mut());
        let flight = placed.map(|pair| match pair {
            PairPlacement::Single(placement) => Flight {
                prefill: None,
                serving: Some(placement),
            },
            PairPlacement::Pair { prefill, decode } => Flight {
                prefill: Some(prefill),
                serving: Some(decode),
            },
        });
        (flight, record)
    }

    fn answer(&self, ask: &Ask, flight: &Flight) -> Answer {
        let number = |placement: &Option<Placement>| {
            let placement = placement.as_ref()?;
            Some(self.numbered.number(placement.endpoint().id()))
        };
        let engine = number(&flight.serving).expect("a flight is served somewhere");
        match ask.phase {
            Phase::Both => Answer::Engine { id: ask.id, engine },
            Phase::Prefill => Answer::Pair {
                id: ask.id,
                prefill: number(&flight.prefill).unwrap_or(engine),
                decode: engine,
            },
        }
    }
}

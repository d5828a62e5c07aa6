//! A fleet under messages: what is in flight on it, and what they change.

use super::{
    Answer, Ask, DecideError, Finish, FirstToken, Init, KvNote, Phase, PrefillDone, RequestNumber,
    TelemetryNote,
    chains::Chains,
    moments::Moments,
    numbered::Numbered,
    past::Past,
    recent::Recent,
    run::{Decided, Policy},
};
use crate::{
    BlockHash, EndpointId, Explanation, Fleet, NoEndpoint, Objectives, Placement, Rng, RouteCx,
    Stage, Timestamp,
    load::Telemetry,
    pipeline::{PairPlacement, Pools},
    residency::{Tier, Trust},
};

/// Requests in flight that are remembered; beyond it the oldest are taken for lost.
const FLIGHTS: usize = 1 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct World {
    numbered: Numbered,
    rng: Rng,
    moments: Moments,
    past: Vec<Past>,
    chains: Chains,
    flights: Recent<RequestNumber, Flight>,
    block_tokens: u32,
    ignored: u64,
}

/// The load of one request: one placement, or the two of a pair.
#[derive(Debug)]
struct Flight {
    /// The half of a pair that computes the prompt, until it has.
    prefill: Option<Placement>,
    /// Where the output comes from.
    serving: Placement,
}

type Placed = (Result<Flight, NoEndpoint>, Option<Explanation>);

impl World {
    pub(super) fn new(init: &Init, model: &str, seed: u64) -> Result<Self, DecideError> {
        let numbered = Numbered::new(init, model)?;
        Ok(Self {
            past: (0..numbered.len()).map(|_| Past::default()).collect(),
            numbered,
            rng: Rng::from_seed(seed),
            moments: Moments::default(),
            chains: Chains::default(),
            flights: Recent::new(FLIGHTS),
            block_tokens: init.block_size.max(1),
            ignored: 0,
        })
    }

    pub(super) fn fleet(&self) -> &Fleet {
        self.numbered.fleet()
    }

    pub(super) fn ignored(&self) -> u64 {
        self.ignored + self.flights.forgotten()
    }

    pub(super) fn telemetry(&mut self, note: &TelemetryNote) {
        let Some((id, endpoint)) = self.numbered.find(note.engine) else {
            self.ignored += 1;
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
        match self.past[id.index()].mark(self.moments.past(note.now)) {
            Some(mark) => endpoint.state().apply(&mark, &reading),
            None => self.ignored += 1,
        }
    }

    pub(super) fn kv(&mut self, note: &KvNote) {
        let Some((id, _)) = self.numbered.find(note.engine) else {
            self.ignored += 1;
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

    pub(super) fn prefill_done(&mut self, note: &PrefillDone) {
        let now = self.moments.now(note.now);
        let flight = self.flights.get_mut(&note.id);
        let Some(mut placement) = flight.and_then(|flight| flight.prefill.take()) else {
            self.ignored += 1;
            return;
        };
        placement.first_token(note.cached, now);
        self.release(placement, now);
    }

    pub(super) fn first_token(&mut self, note: &FirstToken) {
        let now = self.moments.now(note.now);
        let Some(flight) = self.flights.get_mut(&note.id) else {
            self.ignored += 1;
            return;
        };
        flight.serving.first_token(note.cached, now);
        let id = flight.serving.endpoint().id();
        let prefill = flight.prefill.take();
        self.note(id, now);
        self.untold(prefill, now);
    }

    pub(super) fn finish(&mut self, note: &Finish) {
        let now = self.moments.now(note.now);
        let Some(mut flight) = self.flights.remove(&note.id) else {
            self.ignored += 1;
            return;
        };
        flight.serving.finished(note.output, now);
        self.release(flight.serving, now);
        self.untold(flight.prefill, now);
    }

    /// The prompt's half of a pair, whose end nobody told but which must have come.
    fn untold(&mut self, prefill: Option<Placement>, now: Timestamp) {
        if let Some(placement) = prefill {
            self.release(placement, now);
        }
    }

    /// Gives the load back.
    fn release(&mut self, placement: Placement, now: Timestamp) {
        let id = placement.endpoint().id();
        drop(placement);
        self.note(id, now);
    }

    /// Notes an engine's load as it is now.
    fn note(&mut self, id: EndpointId, now: Timestamp) {
        if let Some(endpoint) = self.numbered.fleet().by_id(id) {
            self.past[id.index()].note(now, endpoint.state().in_flight());
        }
    }

    pub(super) fn route(&mut self, ask: &Ask, policy: &Policy, explains: bool) -> Decided {
        let now = self.moments.now(ask.now);
        self.chains.learn(&ask.hashes);
        let blocks: Vec<_> = ask.hashes.iter().copied().map(BlockHash).collect();
        let among = self.numbered.some_of(ask.cands.as_deref());
        let mut cx = RouteCx::new(&policy.model, now)
            .prompt(ask.input.max(1), &blocks, self.block_tokens)
            .objectives(Objectives {
                ttft_ms: ask.ttft_slo_ms.map(|ms| ms as f32),
                tpot_ms: ask.tpot_slo_ms.map(|ms| ms as f32),
                deadline_ms: None,
            });
        cx.among = among.as_deref();
        let (placed, record) = match ask.phase {
            Phase::Both => self.place_one(policy, &cx, explains),
            Phase::Prefill => {
                let decode = match &ask.decode_cands {
                    Some(numbers) => self.numbered.ids_of(numbers),
                    None => self.numbered.all(),
                };
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
        self.takes_off(ask.id, flight, now);
        (answer, record)
    }

    fn takes_off(&mut self, id: RequestNumber, flight: Flight, now: Timestamp) {
        let prefill = flight.prefill.as_ref();
        for id in prefill
            .map(|placement| placement.endpoint().id())
            .into_iter()
            .chain([flight.serving.endpoint().id()])
        {
            self.note(id, now);
        }
        // A number that comes again: whoever had it is no longer spoken of.
        if let Some(before) = self.flights.insert(id, flight) {
            self.release(before.serving, now);
            self.untold(before.prefill, now);
        }
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
            serving: placement,
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
        let mut record = explains.then(|| Explanation {
            model: policy.model.clone(),
            prompt_tokens: cx.prompt_tokens,
            ..Explanation::default()
        });
        let pools = Pools::new(cx.among, decode);
        let placed = stages.place(fleet, cx, pools, &mut self.rng, record.as_mut());
        let flight = placed.map(|pair| match pair {
            PairPlacement::Single(placement) | PairPlacement::Alone(placement) => Flight {
                prefill: None,
                serving: placement,
            },
            PairPlacement::Pair { prefill, decode } => Flight {
                prefill: Some(prefill),
                serving: decode,
            },
        });
        (flight, record)
    }

    fn answer(&self, ask: &Ask, flight: &Flight) -> Answer {
        let number = |placement: &Placement| self.numbered.number(placement.endpoint().id());
        let engine = number(&flight.serving);
        match ask.phase {
            Phase::Both => Answer::Engine { id: ask.id, engine },
            Phase::Prefill => Answer::Pair {
                id: ask.id,
                prefill: flight.prefill.as_ref().map_or(engine, number),
                decode: engine,
            },
        }
    }
}

//! Fleets, traces and routers for the tests.

use std::sync::Arc;

use gateway_core::Rng;
use gateway_core::decider::{
    Answer, Ask, Finish, FirstToken, Init, KvNote, Phase, PrefillDone, RoleName, TelemetryNote,
};

use crate::model::ChipProfile;
use crate::replay::{FleetSpec, ReplayEngine, ReplayReport, Router, TraceRequest, replay};

/// One engine of an H100 with that many blocks.
pub(super) fn engine(kv_blocks: u32) -> ReplayEngine {
    let chip = ChipProfile::named("8b-h100").expect("in the table");
    ReplayEngine {
        class: "h100".to_owned(),
        role: RoleName::Both,
        chip,
        kv_blocks,
        host: None,
        max_sequences: 256,
        batch_tokens: chip.batch_tokens,
        kv_bytes_per_token: 131_072.0,
        nic_gbs: 50.0,
        tflops: 989.0,
        hbm_gbs: 3_350.0,
        slow: Vec::new(),
    }
}

pub(super) fn fleet(block_tokens: u32, engines: Vec<ReplayEngine>) -> FleetSpec {
    FleetSpec {
        block_tokens,
        engines,
        telemetry_every_seconds: 1.0,
        telemetry_delay_seconds: 0.2,
        kv_delay_seconds: 0.05,
        nameplates: true,
    }
}

/// A request whose blocks nobody shares.
pub(super) fn lone(at_seconds: f64, input_tokens: u32, output_tokens: u32) -> TraceRequest {
    TraceRequest {
        at_seconds,
        input_tokens,
        output_tokens,
        blocks: Arc::from([]),
        ttft_slo_ms: 2_000.0,
        tpot_slo_ms: 50.0,
    }
}

/// A request whose block ids start from `stem` on, shared by all with the same `group`.
pub(super) fn grouped(
    at_seconds: f64,
    (group, shared_blocks): (u64, u32),
    own: u64,
    (block_tokens, input_tokens, output_tokens): (u32, u32, u32),
) -> TraceRequest {
    let blocks = (0..input_tokens.div_ceil(block_tokens)).map(|at| {
        let stem = if at < shared_blocks {
            group
        } else {
            1_000_000 + own
        };
        (stem << 24) | u64::from(at)
    });
    TraceRequest {
        blocks: blocks.collect(),
        ..lone(at_seconds, input_tokens, output_tokens)
    }
}

/// What a random trace is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix {
    pub(super) requests: u32,
    /// Mean seconds between arrivals.
    pub(super) gap_seconds: f64,
    pub(super) groups: usize,
    pub(super) block_tokens: u32,
    pub(super) most_input: usize,
    pub(super) most_output: usize,
}

/// A random trace: groups share between none and all of their leading blocks.
pub(super) fn random_trace(seed: u64, mix: Mix) -> Vec<TraceRequest> {
    let mut rng = Rng::from_seed(seed);
    let mut at = 0.0;
    let bound = |most: usize, rng: &mut Rng| u32::try_from(1 + rng.below(most)).expect("small");
    (0..mix.requests)
        .map(|own| {
            at -= (1.0 - rng.unit()).ln() * mix.gap_seconds;
            let input = bound(mix.most_input, &mut rng);
            let output = bound(mix.most_output, &mut rng);
            let group = rng.below(mix.groups) as u64;
            let shared = bound(input.div_ceil(mix.block_tokens) as usize, &mut rng) - 1;
            let sizes = (mix.block_tokens, input, output);
            grouped(at, (group, shared), u64::from(own), sizes)
        })
        .collect()
}

/// Answers by turns or at random, and keeps what it is told.
#[derive(Debug)]
pub(super) struct Blind {
    rng: Option<Rng>,
    turn: usize,
    pub(super) told: Told,
}

/// Everything a router was told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) init: Init,
    pub(super) telemetry: Vec<TelemetryNote>,
    pub(super) kv: Vec<KvNote>,
    pub(super) prefills: Vec<PrefillDone>,
    pub(super) first_tokens: Vec<FirstToken>,
    pub(super) finishes: Vec<Finish>,
    pub(super) asks: Vec<Ask>,
}

impl Blind {
    pub(super) fn by_turns() -> Self {
        Self {
            rng: None,
            turn: 0,
            told: Told::default(),
        }
    }

    pub(super) fn at_random(seed: u64) -> Self {
        Self {
            rng: Some(Rng::from_seed(seed)),
            ..Self::by_turns()
        }
    }

    fn one_of(&mut self, engines: &[u32]) -> u32 {
        let place = match &mut self.rng {
            Some(rng) => rng.below(engines.len()),
            None => self.turn % engines.len(),
        };
        engines[place]
    }
}

impl Router for Blind {
    fn init(&mut self, init: &Init) {
        self.told.init = init.clone();
    }
    fn telemetry(&mut self, note: &TelemetryNote) {
        self.told.telemetry.push(note.clone());
    }
    fn kv(&mut self, note: &KvNote) {
        self.told.kv.push(note.clone());
    }
    fn prefill_done(&mut self, note: &PrefillDone) {
        self.told.prefills.push(note.clone());
    }
    fn first_token(&mut self, note: &FirstToken) {
        self.told.first_tokens.push(note.clone());
    }
    fn finish(&mut self, note: &Finish) {
        self.told.finishes.push(note.clone());
    }
    fn route(&mut self, ask: &Ask) -> Answer {
        self.told.asks.push(ask.clone());
        let id = ask.id;
        let cands = ask.cands.clone().expect("always given");
        let answer = match ask.phase {
            Phase::Both => Answer::Engine {
                id,
                engine: self.one_of(&cands),
            },
            Phase::Prefill => Answer::Pair {
                id,
                prefill: self.one_of(&cands),
                decode: self.one_of(&ask.decode_cands.clone().expect("given for pairs")),
            },
        };
        self.turn += 1;
        answer
    }
}

/// Answers what a closure says.
pub(super) struct Says<F>(pub(super) F);

impl<F: FnMut(&Ask) -> Answer> Router for Says<F> {
    fn init(&mut self, _: &Init) {}
    fn telemetry(&mut self, _: &TelemetryNote) {}
    fn kv(&mut self, _: &KvNote) {}
    fn prefill_done(&mut self, _: &PrefillDone) {}
    fn first_token(&mut self, _: &FirstToken) {}
    fn finish(&mut self, _: &Finish) {}
    fn route(&mut self, ask: &Ask) -> Answer {
        (self.0)(ask)
    }
}

pub(super) fn play(fleet: &FleetSpec, trace: &[TraceRequest]) -> ReplayReport {
    replay(fleet, trace, &mut Blind::by_turns(), &mut |_| ()).expect("a sensible replay")
}

pub(super) fn assert_near(got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance, "{got}, not {want}");
}

//! Latency histograms, as vLLM keeps them.

use std::collections::HashMap;

use gateway_core::Timestamp;

use crate::model::{RequestId, StepOutput};

const TTFT: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
];
const ITL: &[f64] = &[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0,
    40.0, 80.0,
];
const E2E: &[f64] = &[
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0,
    480.0, 960.0, 1920.0, 7680.0,
];
const TOKENS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 20000.0,
    50000.0, 100000.0,
];

/// A Prometheus histogram.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    pub(super) bounds: &'static [f64],
    /// Samples up to each bound, and above the last; not summed up.
    pub(super) counts: Vec<u64>,
    pub(super) sum: f64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    fn observe(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket] += 1;
        self.sum += value;
    }
}

/// The histograms of one engine and the requests they will hear of.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    /// Seconds of wall time in a second of the model.
    seconds: f64,
    open: HashMap<RequestId, Lifetime>,
    pub(super) ttft: Histogram,
    pub(super) itl: Histogram,
    pub(super) tpot: Histogram,
    pub(super) e2e: Histogram,
    pub(super) queue: Histogram,
    pub(super) prompt_tokens: Histogram,
    pub(super) generation_tokens: Histogram,
    /// Requests that ended by themselves.
    pub(super) stopped: u64,
    /// Requests that were cut at their token limit.
    pub(super) cut: u64,
}

#[derive(Clone, Copy, Debug)]
struct Lifetime {
    arrived_at: Timestamp,
    first_at: Option<Timestamp>,
    last_at: Timestamp,
    prompt_tokens: u32,
    tokens: u32,
    is_cut: bool,
}

impl Recorder {
    pub(super) fn new(time_scale: f64) -> Self {
        Self {
            seconds: 1.0 / time_scale,
            open: HashMap::new(),
            ttft: Histogram::new(TTFT),
            itl: Histogram::new(ITL),
            tpot: Histogram::new(ITL),
            e2e: Histogram::new(E2E),
            queue: Histogram::new(E2E),
            prompt_tokens: Histogram::new(TOKENS),
            generation_tokens: Histogram::new(TOKENS),
            stopped: 0,
            cut: 0,
        }
    }

    /// Hears of a request; `is_cut` where its answer will end at the token limit.
    pub(super) fn arrived(
        &mut self,
        id: RequestId,
        at: Timestamp,
        prompt_tokens: usize,
        is_cut: bool,
    ) {
        let lifetime = Lifetime {
            arrived_at: at,
            first_at: None,
            last_at: at,
            prompt_tokens: u32::try_from(prompt_tokens).unwrap_or(u32::MAX),
            tokens: 0,
            is_cut,
        };
        self.open.insert(id, lifetime);
    }

    pub(super) fn left(&mut self, id: RequestId) {
        self.open.remove(&id);
    }

    /// Hears of a step that was asked for at `now`.
    pub(super) fn heard(&mut self, now: Timestamp, output: &StepOutput) {
        let ended_at = output.ended_at.unwrap_or(now);
        for token in &output.tokens {
            self.token(token.id, ended_at);
        }
        for id in &output.finished {
            self.finished(*id, ended_at);
        }
        for admission in &output.admitted {
            let Some(lifetime) = self.open.get(&admission.id) else {
                continue;
            };
            self.queue
                .observe(span(lifetime.arrived_at, ended_at, self.seconds));
        }
    }

    fn token(&mut self, id: RequestId, at: Timestamp) {
        let Some(lifetime) = self.open.get_mut(&id) else {
            return;
        };
        if lifetime.first_at.is_none() {
            lifetime.first_at = Some(at);
            self.ttft
                .observe(span(lifetime.arrived_at, at, self.seconds));
        } else {
            self.itl.observe(span(lifetime.last_at, at, self.seconds));
        }
        lifetime.last_at = at;
        lifetime.tokens += 1;
    }

    fn finished(&mut self, id: RequestId, at: Timestamp) {
        let Some(lifetime) = self.open.remove(&id) else {
            return;
        };
        *(if lifetime.is_cut {
            &mut self.cut
        } else {
            &mut self.stopped
        }) += 1;
        self.e2e
            .observe(span(lifetime.arrived_at, at, self.seconds));
        self.prompt_tokens
            .observe(f64::from(lifetime.prompt_tokens));
        self.generation_tokens.observe(f64::from(lifetime.tokens));
        if let (Some(first_at), true) = (lifetime.first_at, lifetime.tokens > 1) {
            self.tpot
                .observe(span(first_at, at, self.seconds) / f64::from(lifetime.tokens - 1));
        }
    }
}

fn span(from: Timestamp, to: Timestamp, seconds: f64) -> f64 {
    to.since(from).as_secs_f64() * seconds
}

//! One decision with the default pipeline: look the prompt up, filter, score, pick, book and release.
//!
//! Hashing the prompt is not part of it. Every endpoint has requests in flight and a fresh reading; the prefix index holds
//! the conversations that the requests go on with. Criterion gives the mean; a table of percentiles comes before it.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gateway_core::{
    BlockHash, EndpointSpec, Fleet, FleetConfig, Pipeline, Placement, Rng, RouteCx, Timestamp,
    hash::{hash_tokens, seed},
    load::{Booking, Demand, Telemetry},
    prefix::PrefixIndexConfig,
    residency::{ResidencyConfig, Tier},
};
use hdrhistogram::Histogram;

const ENDPOINTS: [usize; 4] = [8, 64, 512, 1_000];
const PROMPTS: [(&str, usize); 3] = [("1k", 1_024), ("8k", 8_192), ("128k", 131_072)];
const BLOCK_TOKENS: usize = 16;
const CONVERSATIONS: usize = 64;
/// The system prompt that all conversations begin with and every endpoint holds.
const SHARED_TOKENS: usize = 512;
const SAMPLES: usize = 20_000;
const NOW: Timestamp = Timestamp::from_millis(1_000);

/// A busy fleet and the requests that come to it.
struct Scene {
    fleet: Fleet,
    pipeline: Pipeline,
    prompts: Vec<Vec<BlockHash>>,
    prompt_tokens: u32,
    rng: Rng,
    next: usize,
    _in_flight: Vec<Booking>,
}

impl Scene {
    fn new(endpoints: usize, prompt_tokens: usize) -> Self {
        let mut rng = Rng::from_seed(7);
        let specs =
            (0..endpoints).map(|n| EndpointSpec::new(format!("engine-{n:03}")).model("llama"));
        let prefix = PrefixIndexConfig {
            budget_bytes: 256 << 20,
        };
        let fleet = Fleet::with_config(
            specs,
            FleetConfig {
                residency: ResidencyConfig {
                    index: prefix,
                    ..ResidencyConfig::default()
                },
                ..FleetConfig::default()
            },
        )
        .expect("names differ");
        let prompts = conversations(prompt_tokens, &mut rng);
        remember(&fleet, &prompts, &mut rng);
        let in_flight = load(&fleet, &mut rng);
        let prompt_tokens = u32::try_from(prompt_tokens).expect("a prompt's length");
        Self {
            fleet,
            pipeline: Pipeline::default(),
            prompts,
            prompt_tokens,
            rng,
            next: 0,
            _in_flight: in_flight,
        }
    }

    fn decide(&mut self) -> Placement {
        self.next = (self.next + 1) % self.prompts.len();
        let block_tokens = u32::try_from(BLOCK_TOKENS).expect("a block's length");
        let blocks = &self.prompts[self.next];
        let cx = RouteCx::new("llama", NOW)
            .prompt(self.prompt_tokens, blocks, block_tokens)
            .output(256);
        self.pipeline
            .place(&self.fleet, &cx, &mut self.rng)
            .expect("somebody is up")
    }
}

/// Block hashes of prompts with a common beginning.
fn conversations(prompt_tokens: usize, rng: &mut Rng) -> Vec<Vec<BlockHash>> {
    let mut word = || u32::try_from(rng.below(150_000)).expect("a token id");
    let shared: Vec<u32> = (0..SHARED_TOKENS).map(|_| word()).collect();
    let mut conversation = || {
        let mut tokens = shared.clone();
        tokens.resize_with(prompt_tokens, &mut word);
        let mut blocks = Vec::new();
        hash_tokens(seed(&[b"llama"]), &tokens, BLOCK_TOKENS, &mut blocks);
        blocks
    };
    (0..CONVERSATIONS).map(|_| conversation()).collect()
}

/// Every endpoint holds the common beginning; two hold three quarters of each conversation.
fn remember(fleet: &Fleet, prompts: &[Vec<BlockHash>], rng: &mut Rng) {
    for endpoint in fleet.endpoints() {
        fleet.residency().stored(
            endpoint.id(),
            Tier::Device,
            None,
            &prompts[0][..SHARED_TOKENS / BLOCK_TOKENS],
        );
    }
    for blocks in prompts {
        for _ in 0..2 {
            let holder = &fleet.endpoints()[rng.below(fleet.endpoints().len())];
            let stored = fleet.residency().stored(
                holder.id(),
                Tier::Device,
                None,
                &blocks[..blocks.len() * 3 / 4],
            );
            assert_eq!(
                (stored.evicted_blocks, stored.rejected),
                (0, 0),
                "the index is too small for the scene"
            );
        }
    }
}

/// A few requests in flight everywhere, and a reading that tells of some more.
fn load(fleet: &Fleet, rng: &mut Rng) -> Vec<Booking> {
    let mut held = Vec::new();
    for endpoint in fleet.endpoints() {
        for _ in 0..rng.below(8) {
            let demand = Demand {
                prompt_tokens: u32::try_from(rng.below(4_000)).expect("small"),
                output_tokens: 400.0,
                ..Demand::default()
            };
            held.push(endpoint.state().book(&demand, NOW));
        }
        let reading = Telemetry {
            running: Some(u32::try_from(rng.below(16)).expect("small")),
            waiting: Some(0),
            kv_used: Some(rng.unit() as f32 * 0.9),
            kv_capacity_tokens: Some(400_000),
            ..Telemetry::default()
        };
        endpoint
            .state()
            .apply(&endpoint.state().mark(NOW), &reading);
    }
    held
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn clock() -> Instant {
    Instant::now()
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Times each decision by itself, the prompt's claim on its endpoint's cache included; releasing the load is not timed.
fn percentiles(scene: &mut Scene, samples: usize) -> Histogram<u64> {
    let mut times = Histogram::new_with_bounds(1, 1_000_000_000, 3).expect("valid bounds");
    for at in 0..samples + samples / 10 {
        let start = clock();
        let mut placed = black_box(scene.decide());
        let took = nanos(start.elapsed());
        placed.first_token(None, NOW);
        drop(placed);
        // The first tenth warms the caches.
        if at >= samples / 10 {
            times.saturating_record(took);
        }
    }
    times
}

#[expect(clippy::print_stdout, reason = "the table is the result")]
fn table() {
    println!(
        "one decision, microseconds\n{:>9} {:>6} {:>8} {:>8} {:>8} {:>8}",
        "endpoints", "prompt", "p50", "p99", "p99.9", "max"
    );
    for endpoints in ENDPOINTS {
        for (name, tokens) in PROMPTS {
            let times = percentiles(&mut Scene::new(endpoints, tokens), SAMPLES);
            let micros = |quantile| times.value_at_quantile(quantile) as f64 / 1_000.0;
            println!(
                "{endpoints:>9} {name:>6} {:>8.2} {:>8.2} {:>8.2} {:>8.1}",
                micros(0.5),
                micros(0.99),
                micros(0.999),
                times.max() as f64 / 1_000.0
            );
        }
    }
}

fn decide(criterion: &mut Criterion) {
    table();
    let mut group = criterion.benchmark_group("decide");
    group
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(20);
    for endpoints in ENDPOINTS {
        for (name, tokens) in PROMPTS {
            let mut scene = Scene::new(endpoints, tokens);
            group.bench_function(
                BenchmarkId::new(format!("{endpoints} endpoints"), name),
                |bencher| {
                    bencher.iter(|| {
                        let mut placed = black_box(scene.decide());
                        placed.first_token(None, NOW);
                    });
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);

//! One decision with the default pipeline: look the prompt up, filter, score, pick, book and release.
//!
//! Hashing the prompt is not part of it. Every endpoint has requests in flight and a fresh reading; the prefix index holds
//! the conversations that the requests go on with. Criterion gives the mean; a table of percentiles comes before it.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gateway_benches::BusyFleet;
use gateway_core::{EndpointSpec, Pipeline, Placement};
use hdrhistogram::Histogram;

const ENDPOINTS: [usize; 4] = [8, 64, 512, 1_000];
const PROMPTS: [(&str, usize); 3] = [("1k", 1_024), ("8k", 8_192), ("128k", 131_072)];
const SAMPLES: usize = 20_000;

/// A busy fleet and the requests that come to it.
struct Scene {
    busy: BusyFleet,
    pipeline: Pipeline,
}

impl Scene {
    fn new(endpoints: usize, prompt_tokens: usize) -> Self {
        let specs =
            (0..endpoints).map(|n| EndpointSpec::new(format!("engine-{n:03}")).model("llama"));
        Self {
            busy: BusyFleet::new(specs, prompt_tokens),
            pipeline: Pipeline::default(),
        }
    }

    fn decide(&mut self) -> Placement {
        let (fleet, cx, rng) = self.busy.request();
        self.pipeline
            .place(fleet, &cx, rng)
            .expect("somebody is up")
    }
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
        placed.first_token(None, BusyFleet::NOW);
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
                        placed.first_token(None, BusyFleet::NOW);
                    });
                },
            );
        }
    }
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);

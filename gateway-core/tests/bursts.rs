//! How the `latency` policy spreads what comes at once, and the lessons on which its cost rests.

use std::collections::VecDeque;

use gateway_core::{
    BlockHash, EndpointSpec, Fleet, Pipeline, Placement, PluginSpec, Registry, Rng, RouteCx, Stage,
    Timestamp,
    latency::{Forecast, Hardware},
    pipeline::PipelineSpec,
    plugins::scorers::{Latency, LatencyParams},
};

const BLOCK: u32 = 64;

fn hardware() -> Hardware {
    Hardware {
        class: Some("a".to_owned()),
        tflops: Some(989.0),
        hbm_gbs: Some(3_350.0),
        kv_tokens: Some(400_000),
        max_sequences: Some(256),
        batch_tokens: Some(8_192),
        ..Hardware::default()
    }
}

fn fleet(names: impl IntoIterator<Item = usize>) -> Fleet {
    Fleet::new(specs(names)).expect("valid")
}

fn specs(names: impl IntoIterator<Item = usize>) -> impl Iterator<Item = EndpointSpec> {
    let spec = |n| {
        EndpointSpec::new(format!("e{n}"))
            .model("m")
            .hardware(hardware())
    };
    names.into_iter().map(spec)
}

fn latency() -> Pipeline {
    built(&PipelineSpec::preset("latency").expect("a preset"))
}

/// The preset without its blur.
fn sharp() -> Pipeline {
    let mut spec = PipelineSpec::preset("latency").expect("a preset");
    let mut scorer = PluginSpec::new("latency");
    scorer.params.insert("jitter".to_owned(), 0.into());
    spec.scorers = vec![scorer];
    built(&spec)
}

fn built(spec: &PipelineSpec) -> Pipeline {
    Registry::builtin().build(spec).expect("it builds")
}

fn in_flight(fleet: &Fleet) -> Vec<u32> {
    fleet
        .endpoints()
        .iter()
        .map(|one| one.state().in_flight().requests)
        .collect()
}

/// Requests per endpoint after 800 equal ones came at once to 8 idle equal endpoints.
fn burst(pipeline: &Pipeline, seed: u64) -> Vec<u32> {
    let fleet = fleet(0..8);
    let mut rng = Rng::from_seed(seed);
    let cx = RouteCx::new("m", Timestamp::ZERO).prompt(1_000, &[], BLOCK);
    let place = |_| pipeline.place(&fleet, &cx, &mut rng).expect("somebody");
    let held: Vec<_> = (0..800).map(place).collect();
    let counts = in_flight(&fleet);
    drop(held);
    counts
}

fn assert_within_one(counts: &[u32]) {
    let (least, most) = (counts.iter().min(), counts.iter().max());
    let spread = most.zip(least).map(|(most, least)| most - least);
    assert!(spread.is_some_and(|spread| spread <= 1), "{counts:?}");
}

#[test]
fn a_burst_of_equal_requests_spreads_within_one_of_the_mean() {
    for seed in 0..40 {
        let counts = burst(&latency(), seed);
        assert!(
            counts.iter().all(|count| (99..=101).contains(count)),
            "{counts:?}"
        );
    }
}

#[test]
fn a_burst_of_equal_requests_spreads_within_one() {
    for seed in 0..40 {
        assert_within_one(&burst(&latency(), seed));
    }
}

#[test]
fn a_burst_of_equal_requests_spreads_within_one_without_jitter() {
    for seed in 0..5 {
        assert_within_one(&burst(&sharp(), seed));
    }
}

/// A prompt that begins as all others do, for 6,144 tokens, and ends like no other.
fn shared(n: u64) -> Vec<BlockHash> {
    let own = 1_000_000 + n * 8;
    (0..96).chain(own..own + 8).map(BlockHash).collect()
}

/// Lets 600 requests with one prefix come one after another, as fast as that; gives requests per endpoint and the share of
/// prompt tokens that was cached.
fn one_prefix(between_millis: u64) -> (Vec<u32>, f64) {
    let (fleet, pipeline) = (fleet(0..8), latency());
    let mut rng = Rng::from_seed(9);
    let mut counts = vec![0; 8];
    let (mut cached, mut all) = (0.0, 0.0);
    let mut waiting: VecDeque<(Timestamp, Placement)> = VecDeque::new();
    let mut decoding: VecDeque<(Timestamp, Placement)> = VecDeque::new();
    for n in 0..600 {
        let now = Timestamp::from_millis(n * between_millis);
        let begun = waiting
            .iter()
            .position(|(at, _)| *at > now)
            .unwrap_or(waiting.len());
        for (at, mut placement) in waiting.drain(..begun) {
            placement.first_token(None, at);
            decoding.push_back((
                Timestamp::from_micros(at.as_micros() + 2_000_000),
                placement,
            ));
        }
        while decoding.front().is_some_and(|(at, _)| *at <= now) {
            let (at, mut placement) = decoding.pop_front().expect("there is one");
            placement.finished(Some(200), at);
        }
        let blocks = shared(n);
        let prompt = blocks.len() as u32 * BLOCK;
        let cx = RouteCx::new("m", now).prompt(prompt, &blocks, BLOCK);
        let placement = pipeline.place(&fleet, &cx, &mut rng).expect("somebody");
        counts[placement.endpoint().id().index()] += 1;
        if n >= 100 {
            cached += f64::from(placement.cached_tokens());
            all += f64::from(prompt);
        }
        let first = now.as_micros() + (placement.forecast().ttft_ms * 1_000.0) as u64;
        waiting.push_back((Timestamp::from_micros(first), placement));
        waiting.make_contiguous().sort_by_key(|(at, _)| *at);
    }
    (counts, cached / all)
}

#[test]
fn a_prefix_that_all_share_does_not_pile_up_and_is_still_found() {
    for between_millis in [5, 10, 20] {
        let (counts, hits) = one_prefix(between_millis);
        let most = counts.iter().max().copied().unwrap_or_default();
        assert!(most <= 150, "every {between_millis} ms: {counts:?}");
        assert!(
            hits > 0.8,
            "every {between_millis} ms: {hits} of {counts:?}"
        );
    }
}

#[test]
fn a_prefix_that_all_share_spreads_in_a_burst() {
    let (fleet, pipeline) = (fleet(0..8), latency());
    let mut rng = Rng::from_seed(9);
    let mut held = Vec::new();
    for n in 0..400 {
        let blocks = shared(n);
        let cx = RouteCx::new("m", Timestamp::ZERO).prompt(6_656, &blocks, BLOCK);
        held.push(pipeline.place(&fleet, &cx, &mut rng).expect("somebody"));
    }
    let counts = in_flight(&fleet);
    assert!(counts.iter().all(|count| *count <= 100), "{counts:?}");
}

#[test]
fn endpoints_come_and_go_under_load() {
    let (mut fleet, pipeline) = (fleet(0..4), latency());
    let mut rng = Rng::from_seed(2);
    let mut held = Vec::new();
    for round in 0..60_u64 {
        // One of the four is away, a different one each time; a fifth comes and goes.
        let there = (0..5).filter(|n| n % 4 != round as usize % 4);
        fleet = fleet.with_endpoints(specs(there)).expect("valid");
        for n in 0..10 {
            let blocks = shared(n % 3);
            let now = Timestamp::from_millis(round * 100);
            let cx = RouteCx::new("m", now).prompt(6_656, &blocks, BLOCK);
            let placement = pipeline.place(&fleet, &cx, &mut rng).expect("somebody");
            let name = placement.endpoint().name();
            assert!(fleet.by_name(name).is_some(), "{name} is away");
            held.push(placement);
        }
        let now = Timestamp::from_millis(round * 100 + 50);
        for mut placement in held.drain(..held.len() / 2) {
            placement.first_token(Some(0), now);
            placement.finished(Some(20), now);
        }
    }
    held.clear();
    assert!(in_flight(&fleet).iter().all(|count| *count == 0));
}

/// Output tokens of every request.
const OUTPUT: f64 = 100.0;

fn usual() -> Forecast {
    Forecast {
        output_tokens: OUTPUT,
        others_output_tokens: OUTPUT,
        ..Forecast::default()
    }
}

fn cost(forecast: &Forecast) -> f64 {
    let scorer = Latency::new(LatencyParams::default()).expect("defaults make sense");
    let cx = RouteCx::new("m", Timestamp::ZERO).prompt(1_000, &[], BLOCK);
    scorer.cost(&cx, forecast)
}

#[test]
fn lesson_1_a_prompt_is_charged_to_all_in_flight_and_not_only_to_those_that_decode() {
    let (fleet, pipeline) = (fleet(0..1), latency());
    let mut rng = Rng::from_seed(1);
    let cx = RouteCx::new("m", Timestamp::ZERO).prompt(1_000, &[], BLOCK);
    let mut place = || pipeline.place(&fleet, &cx, &mut rng).expect("somebody");
    let held: Vec<_> = (0..20).map(|_| place()).collect();
    let next = place();
    assert_eq!(next.forecast().requests, 20.0, "none of them decodes yet");

    let alone = Forecast {
        prefill_ms: 100.0,
        ..usual()
    };
    let among = Forecast {
        requests: 20.0,
        ..alone
    };
    let charged = cost(&among) - cost(&alone);
    let params = LatencyParams::default();
    let expected = params.decode_weight * 20.0 * (100.0 / OUTPUT) / params.tpot_ms;
    assert!(
        (charged - expected).abs() < 1e-9,
        "{charged}, not {expected}"
    );
    drop((held, next));
}

#[test]
fn lesson_2_blocks_that_requests_share_occupy_memory_once() {
    let occupancy = |prompt: &dyn Fn(u64) -> Vec<BlockHash>| {
        let (fleet, pipeline) = (fleet(0..1), latency());
        let mut rng = Rng::from_seed(1);
        let mut held = Vec::new();
        for n in 0..40 {
            let blocks = prompt(n);
            let cx = RouteCx::new("m", Timestamp::ZERO)
                .prompt(6_656, &blocks, BLOCK)
                .output(1);
            held.push(pipeline.place(&fleet, &cx, &mut rng).expect("somebody"));
        }
        held[39].forecast().active_tokens
    };
    let apart = |n: u64| (n * 104..n * 104 + 104).map(BlockHash).collect::<Vec<_>>();
    let (together, apart) = (occupancy(&shared), occupancy(&apart));
    assert!(apart > 39.0 * 6_600.0, "{apart}");
    assert!(together < 6_144.0 + 41.0 * 512.0 + 6_656.0, "{together}");
}

#[test]
fn lesson_3_past_the_objective_the_cost_grows_no_faster_than_before() {
    let at = |ttft_ms: f64| {
        cost(&Forecast {
            ttft_ms,
            wait_ms: ttft_ms,
            ..usual()
        })
    };
    let step = at(1_000.0) - at(0.0);
    for from in [2_000.0, 10_000.0, 100_000.0] {
        let here = at(from + 1_000.0) - at(from);
        assert!(here > 0.0, "from {from} ms: later is never better");
        assert!(here <= step + 1e-9, "from {from} ms: {here} > {step}");
    }
}

#[test]
fn lesson_3_long_prompts_cost_no_more_than_in_proportion() {
    let scorer = Latency::new(LatencyParams::default()).expect("defaults make sense");
    let cx = RouteCx::new("m", Timestamp::ZERO).stage(Stage::Prefill);
    let at = |prefill_ms: f64| {
        let forecast = Forecast {
            prefill_ms,
            ttft_ms: prefill_ms,
            ..usual()
        };
        scorer.cost(&cx, &forecast)
    };
    assert!(at(40_000.0) <= 40.0 * at(1_000.0));
    assert!(at(40_000.0) > at(20_000.0));
}

#[test]
fn requests_of_others_are_taken_for_as_long_as_ours() {
    let (fleet, pipeline) = (fleet(0..1), latency());
    let state = fleet.endpoints()[0].state();
    let reading = gateway_core::load::Telemetry {
        running: Some(2),
        ..gateway_core::load::Telemetry::default()
    };
    state.apply(&state.mark(Timestamp::ZERO), &reading);
    let cx = RouteCx::new("m", Timestamp::ZERO).prompt(1_000, &[], BLOCK);
    let placed = pipeline
        .place(&fleet, &cx, &mut Rng::from_seed(1))
        .expect("somebody");
    let forecast = placed.forecast();
    assert_eq!(forecast.requests, 2.0);
    assert!(forecast.others_output_tokens > 10.0, "{forecast:?}");
}

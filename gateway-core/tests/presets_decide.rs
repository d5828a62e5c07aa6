//! Every preset decides, for every stage and through bursts, and those that learn do so by their name alone.

use gateway_core::{
    BlockHash, EndpointSpec, Fleet, Pipeline, Registry, Rng, RouteCx, Stage, Timestamp,
    pipeline::{PipelineSpec, presets},
};

/// Presets that count what is in flight and nothing else where nothing is cached.
const EVEN: [&str; 8] = [
    "dynamo",
    "latency",
    "least-requests",
    "least-tokens",
    "lmetric",
    "lmetric-ms",
    "predicted-ttft",
    "sticky-until-saturated",
];

fn fleet(count: usize) -> Fleet {
    Fleet::new((0..count).map(|n| EndpointSpec::new(format!("e{n}")).model("m"))).expect("valid")
}

fn pipeline(preset: &str) -> Pipeline {
    let spec = PipelineSpec::preset(preset).expect(preset);
    Registry::builtin().build(&spec).expect(preset)
}

fn requests(fleet: &Fleet) -> Vec<u32> {
    let in_flight =
        |endpoint: &std::sync::Arc<gateway_core::Endpoint>| endpoint.state().in_flight().requests;
    fleet.endpoints().iter().map(in_flight).collect()
}

#[test]
fn every_preset_serves_every_stage_and_leaves_nothing_behind() {
    for preset in presets() {
        let (fleet, pipeline) = (fleet(5), pipeline(preset.name));
        let mut rng = Rng::from_seed(11);
        let mut held = Vec::new();
        for n in 0..300_u64 {
            let blocks: Vec<_> = (0..n % 40).map(|at| BlockHash(n % 7 * 100 + at)).collect();
            let stage = [Stage::Unified, Stage::Prefill, Stage::Decode][n as usize % 3];
            let cx = RouteCx::new("m", Timestamp::from_millis(n * 10))
                .prompt(blocks.len() as u32 * 64 + 9, &blocks, 64)
                .output(100)
                .stage(stage);
            held.push(pipeline.place(&fleet, &cx, &mut rng).expect(preset.name));
            if n % 2 == 0 {
                drop(held.swap_remove(n as usize / 4));
            }
        }
        assert_eq!(requests(&fleet).iter().sum::<u32>(), 150, "{}", preset.name);
        held.clear();
        assert_eq!(requests(&fleet), [0; 5], "{}", preset.name);
    }
}

#[test]
fn a_burst_of_equal_requests_spreads_evenly() {
    for preset in EVEN {
        let (fleet, pipeline) = (fleet(8), pipeline(preset));
        let mut rng = Rng::from_seed(3);
        let cx = RouteCx::new("m", Timestamp::ZERO)
            .prompt(1_000, &[], 64)
            .output(100);
        let place = |_| pipeline.place(&fleet, &cx, &mut rng).expect(preset);
        let held: Vec<_> = (0..800).map(place).collect();
        let requests = requests(&fleet);
        assert!(
            requests.iter().all(|one| (99..=101).contains(one)),
            "{preset}: {requests:?}"
        );
        drop(held);
    }
}

/// Where requests went that never met one another.
fn one_by_one(preset: &str, count: u64) -> Vec<u32> {
    let (fleet, pipeline) = (fleet(4), pipeline(preset));
    let mut rng = Rng::from_seed(7);
    let mut counts = vec![0; 4];
    for n in 0..count {
        let cx = RouteCx::new("m", Timestamp::from_millis(n)).prompt(1_000, &[], 64);
        let placed = pipeline.place(&fleet, &cx, &mut rng).expect(preset);
        counts[placed.endpoint().id().index()] += 1;
    }
    counts
}

#[test]
fn presets_that_learn_remember_where_requests_went() {
    for preset in ["cache-aware", "preble-e2"] {
        assert_eq!(one_by_one(preset, 40), [10; 4], "{preset}");
    }
    assert_ne!(one_by_one("least-requests", 40), [10; 4], "idle ones tie");
}

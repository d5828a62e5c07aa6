//! One decision for a request that may be split: an engine that decodes, one that prefills for it, and booking on both;
//! beside the same decision with the rule to weigh the pair against one engine, and with the rule never to split.
//!
//! Half of the endpoints prefill, half decode. Hashing the prompt is not part of it.

use std::{hint::black_box, time::Duration};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gateway_benches::BusyFleet;
use gateway_core::{
    EndpointId, EndpointSpec, KvDescriptor, Pipelines, Registry, Role,
    pipeline::{ModelPipelines, PairPlacement, PipelinesSpec, Pools, SplitRule, Stages},
};

const ENDPOINTS: [usize; 3] = [8, 64, 512];
const PROMPT_TOKENS: usize = 8_192;
const RULES: [(&str, SplitRule); 3] = [
    ("always", SplitRule::Always),
    ("predicted", SplitRule::Predicted),
    ("never", SplitRule::Never),
];

struct Scene {
    busy: BusyFleet,
    stages: Stages,
    prefill: Vec<EndpointId>,
    decode: Vec<EndpointId>,
}

impl Scene {
    fn new(endpoints: usize, rule: SplitRule) -> Self {
        let kv = KvDescriptor {
            connector: Some("nixl".to_owned()),
            ..KvDescriptor::default()
        };
        let spec = |n: usize| {
            let spec = EndpointSpec::new(format!("engine-{n:03}")).model("llama");
            spec.role(role(n)).kv(kv.clone())
        };
        let busy = BusyFleet::new((0..endpoints).map(spec), PROMPT_TOKENS);
        let of = |role: Role| {
            let endpoints = busy.fleet().endpoints().iter();
            let those = endpoints.filter(|endpoint| endpoint.spec().role == role);
            those.map(|endpoint| endpoint.id()).collect()
        };
        let (prefill, decode) = (of(Role::Prefill), of(Role::Decode));
        let spec = PipelinesSpec {
            split: Some(rule),
            ..PipelinesSpec::default()
        };
        let built = ModelPipelines::build(&Registry::builtin(), &spec).expect("the default");
        Self {
            busy,
            stages: Pipelines::new(built).stages("llama"),
            prefill,
            decode,
        }
    }

    fn decide(&mut self) -> PairPlacement {
        let pools = Pools::new(Some(&self.prefill), &self.decode);
        let (fleet, cx, rng) = self.busy.request();
        let placed = self.stages.place(fleet, &cx, pools, rng, None);
        placed.expect("somebody is up")
    }
}

fn role(number: usize) -> Role {
    match number % 2 {
        0 => Role::Prefill,
        _ => Role::Decode,
    }
}

/// The first token has come, so that the claims on caches are settled as they are in service.
fn settle(placed: PairPlacement) {
    match placed {
        PairPlacement::Single(mut placement) | PairPlacement::Alone(mut placement) => {
            placement.first_token(None, BusyFleet::NOW);
        }
        PairPlacement::Pair {
            mut prefill,
            mut decode,
        } => {
            prefill.first_token(None, BusyFleet::NOW);
            decode.first_token(None, BusyFleet::NOW);
        }
    }
}

fn decide(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide pair");
    group
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
        .sample_size(20);
    for endpoints in ENDPOINTS {
        for (name, rule) in RULES {
            let mut scene = Scene::new(endpoints, rule);
            let is_split = matches!(scene.decide(), PairPlacement::Pair { .. });
            assert!(is_split || name != "always", "pairs are possible");
            let id = BenchmarkId::new(format!("{endpoints} endpoints"), name);
            group.bench_function(id, |bencher| {
                bencher.iter(|| settle(black_box(scene.decide())));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, decide);
criterion_main!(benches);

//! Whatever the load, every scorer stays in its range and every picker among its candidates.

use std::sync::Arc;

use gateway_core::{
    Candidate, Endpoint, EndpointSpec, Fleet, Picker, Registry, Rng, RouteCx, Scorer, Timestamp,
    health::Availability,
    load::{Freshness, Load},
    plugins::{
        pickers::{Best, PowerOfTwo, Random, RoundRobin, Softmax, WeightedRandom},
        scorers::{
            CacheAware, ConsistentHash, DualMap, DynamoCost, KvHeadroom, LMetric, LabelPreference,
            LabelPreferenceParams, Latency, LeastQueuedTokens, LeastRequests, LengthFit,
            LoraAffinity, PrebleE2, PredictedTtft, PrefixAffinity, RunningRequests,
            SessionAffinity, StaticWeight, StickyUntilSaturated, TokenLoad, WaitingRequests,
        },
    },
    residency::Cached,
};
use proptest::{collection::vec, option, prelude::*};

fn scorers() -> Vec<(&'static str, Box<dyn Scorer>)> {
    let liked = LabelPreferenceParams {
        label: "zone".into(),
        values: vec!["a".into()],
        weights: [].into(),
    };
    vec![
        ("cache-aware", Box::new(CacheAware::default())),
        ("consistent-hash", Box::new(ConsistentHash::default())),
        ("dual-map", Box::new(DualMap::default())),
        ("dynamo-cost", Box::new(DynamoCost::default())),
        ("kv-headroom", Box::new(KvHeadroom)),
        (
            "label-preference",
            Box::new(LabelPreference::new(liked).expect("valid")),
        ),
        ("latency", Box::new(Latency::default())),
        (
            "least-queued-tokens",
            Box::new(LeastQueuedTokens::default()),
        ),
        ("least-requests", Box::new(LeastRequests)),
        ("length-fit", Box::new(LengthFit::default())),
        ("lmetric", Box::new(LMetric::default())),
        ("lora-affinity", Box::new(LoraAffinity::default())),
        ("preble-e2", Box::new(PrebleE2::default())),
        ("predicted-ttft", Box::new(PredictedTtft)),
        ("prefix-affinity", Box::new(PrefixAffinity::default())),
        ("running-requests", Box::new(RunningRequests)),
        ("session-affinity", Box::new(SessionAffinity::default())),
        ("static-weight", Box::new(StaticWeight)),
        (
            "sticky-until-saturated",
            Box::new(StickyUntilSaturated::default()),
        ),
        ("token-load", Box::new(TokenLoad::default())),
        ("waiting-requests", Box::new(WaitingRequests)),
    ]
}

fn pickers() -> Vec<(&'static str, Box<dyn Picker>)> {
    vec![
        ("best", Box::new(Best)),
        ("power-of-two", Box::new(PowerOfTwo)),
        ("random", Box::new(Random)),
        ("round-robin", Box::new(RoundRobin::default())),
        ("softmax", Box::new(Softmax::default())),
        ("weighted-random", Box::new(WeightedRandom)),
    ]
}

#[test]
fn no_registered_plugin_is_left_out() {
    let registry = Registry::builtin();
    let [_, known_scorers, known_pickers] = registry.names();
    assert_eq!(
        scorers().iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        known_scorers
    );
    assert_eq!(
        pickers().iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        known_pickers
    );
}

/// Any number, with the awkward ones often.
fn awkward() -> impl Strategy<Value = f32> {
    prop_oneof![
        Just(f32::NAN),
        Just(f32::INFINITY),
        Just(f32::NEG_INFINITY),
        Just(0.0),
        Just(-0.0),
        Just(1.0),
        Just(f32::MIN_POSITIVE),
        any::<f32>(),
        0.0_f32..=1.0,
    ]
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(u32::MAX), 0..20_u32, any::<u32>()]
}

/// What an endpoint may look like: its load, the tokens it holds, its weight and its range.
type Looks = (Load, u32, f32, Option<(u32, u32)>);

fn looks() -> impl Strategy<Value = Looks> {
    let freshness = prop_oneof![
        Just(Freshness::Fresh),
        Just(Freshness::Stale),
        Just(Freshness::Missing)
    ];
    let load = (
        count(),
        count(),
        any::<u64>(),
        any::<u64>(),
        option::of(awkward()),
        freshness,
    )
        .prop_map(
            |(requests, waiting, queued_tokens, context_tokens, kv_used, telemetry)| Load {
                requests,
                waiting,
                queued_tokens,
                context_tokens,
                kv_used,
                telemetry,
            },
        );
    (load, count(), awkward(), option::of((count(), count())))
}

fn fleet(all: &[Looks]) -> Fleet {
    let spec = |(n, look): (usize, &Looks)| EndpointSpec {
        prompt_range: look.3,
        ..EndpointSpec::new(format!("e{n}")).weight(look.2)
    };
    Fleet::new(all.iter().enumerate().map(spec)).expect("names differ")
}

fn candidates<'f>(fleet: &'f Fleet, all: &[Looks]) -> Vec<Candidate<'f>> {
    let candidate = |(endpoint, look): (&'f Arc<Endpoint>, &Looks)| Candidate {
        endpoint,
        availability: Availability::Up,
        load: look.0,
        cached: Cached::default(),
        cached_tokens: look.1,
        loaded_tokens: look.1 / 3,
    };
    fleet.endpoints().iter().zip(all).map(candidate).collect()
}

proptest! {
    #[test]
    fn scores_stay_in_range(
        all in vec(looks(), 1..12),
        prompt in count(),
        session in option::of(any::<u64>()),
        adapter in option::of(Just("sql")),
    ) {
        let fleet = fleet(&all);
        let candidates = candidates(&fleet, &all);
        let mut cx = RouteCx::new("m", Timestamp::ZERO).prompt(prompt, &[], 16);
        cx.session = session;
        cx.adapter = adapter;
        for (name, scorer) in scorers() {
            let mut out = vec![f32::NAN; candidates.len()];
            scorer.score(&cx, &candidates, &mut out);
            prop_assert!(out.iter().all(|score| (0.0..=1.0).contains(score)), "{name}: {out:?}");
        }
    }

    #[test]
    fn picks_are_candidates(
        all in vec((looks(), awkward()), 1..12),
        seed in any::<u64>(),
    ) {
        let (all, scores): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let fleet = fleet(&all);
        let candidates = candidates(&fleet, &all);
        let cx = RouteCx::new("m", Timestamp::ZERO);
        let mut rng = Rng::from_seed(seed);
        for (name, picker) in pickers() {
            let picked = picker.pick(&cx, &candidates, &scores, &mut rng);
            prop_assert!(picked.is_some_and(|at| at < candidates.len()), "{name}: {picked:?}");
        }
    }

    #[test]
    fn the_load_bound_of_sessions_holds(
        sessions in vec(0..4_u64, 1..200),
        endpoints in 1..9_usize,
    ) {
        let fleet = Fleet::new((0..endpoints).map(|n| EndpointSpec::new(format!("e{n}")))).expect("names differ");
        let idle = Load {
            requests: 0,
            waiting: 0,
            queued_tokens: 0,
            context_tokens: 0,
            kv_used: None,
            telemetry: Freshness::Missing,
        };
        let mut candidates = candidates(&fleet, &vec![(idle, 0, 1.0, None); endpoints]);
        let (scorer, mut rng) = (SessionAffinity::default(), Rng::from_seed(1));
        let mut scores = vec![0.0; endpoints];
        for (placed, session) in sessions.into_iter().enumerate() {
            let cx = RouteCx::new("m", Timestamp::ZERO).session(session);
            scorer.score(&cx, &candidates, &mut scores);
            let at = Best.pick(&cx, &candidates, &scores, &mut rng).expect("somebody");
            candidates[at].load.requests += 1;
            let bound = (1.25 * (placed + 1) as f64 / endpoints as f64).ceil();
            prop_assert!(f64::from(candidates[at].load.requests) <= bound);
        }
    }
}

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use super::*;
use crate::{
    EndpointSpec, Fleet, Rng, RouteCx, Stage, Timestamp,
    plugin::{Observer, RouteEvent, filter_fn, scorer_fn},
    plugins::{filters::Healthy, pickers::Best, scorers::LeastRequests},
};

const NOW: Timestamp = Timestamp::from_millis(1);

fn fleet(names: &[&str]) -> Fleet {
    Fleet::new(names.iter().map(|name| EndpointSpec::new(*name).model("m"))).expect("valid")
}

fn cx() -> RouteCx<'static> {
    RouteCx::new("m", NOW).prompt(100, &[], 16).output(10)
}

#[test]
fn booked_load_spreads_a_burst_evenly_without_any_telemetry() {
    let fleet = fleet(&["a", "b", "c", "d"]);
    let pipeline = Pipeline::builder()
        .scorer("least-requests", 1.0, LeastRequests)
        .build();
    let mut rng = Rng::from_seed(3);
    let held: Vec<_> = (0..40)
        .map(|_| pipeline.place(&fleet, &cx(), &mut rng).expect("placed"))
        .collect();
    for endpoint in fleet.endpoints() {
        assert_eq!(endpoint.state().in_flight().requests, 10);
    }
    drop(held);
    assert!(
        fleet
            .endpoints()
            .iter()
            .all(|e| e.state().in_flight().requests == 0)
    );
}

#[test]
fn parallel_choices_never_see_the_same_load() {
    let fleet = fleet(&["a", "b", "c", "d"]);
    let pipeline = Pipeline::builder()
        .scorer("least-requests", 1.0, LeastRequests)
        .build();
    let held: Vec<_> = std::thread::scope(|scope| {
        let one = |seed| {
            let (fleet, pipeline) = (&fleet, &pipeline);
            scope.spawn(move || {
                let mut rng = Rng::from_seed(seed);
                (0..100)
                    .map(|_| pipeline.place(fleet, &cx(), &mut rng).expect("placed"))
                    .collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..4).map(one).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    assert_eq!(held.len(), 400);
    for endpoint in fleet.endpoints() {
        assert_eq!(
            endpoint.state().in_flight().requests,
            100,
            "{}",
            endpoint.name()
        );
    }
}

#[test]
fn soft_filters_step_aside_and_hard_ones_do_not() {
    let fleet = fleet(&["a"]);
    let mut rng = Rng::from_seed(1);
    let soft = Pipeline::builder()
        .soft_filter("never", filter_fn(|_, _| false))
        .build();
    let (placed, record) = soft.place_explained(&fleet, &cx(), &mut rng);
    assert!(placed.is_ok());
    assert_eq!(record.skipped, ["never"]);
    let hard = Pipeline::builder()
        .filter("healthy", Healthy)
        .filter("never", filter_fn(|_, _| false))
        .build();
    let error = hard.place(&fleet, &cx(), &mut rng).expect_err("nobody");
    assert_eq!(error.ruled_out, [("never".to_owned(), 1)]);
    assert_eq!(
        error.to_string(),
        "no endpoint can take the request: of 1 endpoints never ruled out 1"
    );
}

#[test]
fn scores_are_weighted_and_brought_back_into_range() {
    let fleet = fleet(&["a", "b"]);
    let pipeline = Pipeline::builder()
        .scorer(
            "wild",
            3.0,
            scorer_fn(|_, c| {
                if c.endpoint.name() == "a" {
                    f32::NAN
                } else {
                    7.0
                }
            }),
        )
        .scorer("half", 1.0, scorer_fn(|_, _| 0.5))
        .build();
    let (placed, record) = pipeline.place_explained(&fleet, &cx(), &mut Rng::from_seed(1));
    assert_eq!(placed.expect("placed").endpoint().name(), "b");
    let totals: Vec<_> = record.candidates.iter().map(|c| c.total).collect();
    assert_eq!(totals, [0.125, 0.875]);
    assert_eq!(record.chosen.as_deref(), Some("b"));
}

#[test]
fn an_empty_fleet_is_an_error_not_a_panic() {
    let error = Pipeline::default()
        .place(&fleet(&[]), &cx(), &mut Rng::from_seed(1))
        .expect_err("empty");
    assert_eq!(
        error,
        NoEndpoint {
            endpoints: 0,
            ruled_out: vec![],
            late: None,
            full: None,
        }
    );
}

#[test]
fn observers_hear_of_placements() {
    struct Count(AtomicU32);
    impl Observer for Count {
        fn observe(&self, event: &RouteEvent<'_>) {
            if matches!(event, RouteEvent::Placed { .. }) {
                self.0.fetch_add(1, Relaxed);
            }
        }
    }
    let count = Arc::new(Count(AtomicU32::new(0)));
    let pipeline = Pipeline::builder()
        .picker("best", Best)
        .observer(Arc::clone(&count) as _)
        .build();
    let _placed = pipeline
        .place(&fleet(&["a"]), &cx(), &mut Rng::from_seed(1))
        .expect("placed");
    assert_eq!(count.0.load(Relaxed), 1);
}

#[test]
fn unknown_names_and_parameters_are_refused_with_the_known_ones() {
    let registry = Registry::builtin();
    let build = |json: &str| {
        registry
            .build(&serde_json::from_str(json).expect("json"))
            .expect_err("refused")
            .to_string()
    };
    let unknown = build(r#"{"filters": ["healthy", "helathy"]}"#);
    assert!(
        unknown.starts_with("filters[1]: unknown filter `helathy`; known: "),
        "{unknown}"
    );
    assert!(unknown.contains("healthy"), "{unknown}");
    let param = build(r#"{"picker": {"name": "best", "temprature": 1}}"#);
    assert!(
        param.starts_with("picker: `best`: unknown field `temprature`"),
        "{param}"
    );
    let weight = build(r#"{"scorers": [{"name": "least-requests", "weight": -1}]}"#);
    assert_eq!(
        weight,
        "scorers[0]: `least-requests`: weight -1 is not a positive number"
    );
    let misplaced = build(r#"{"scorers": [{"name": "least-requests", "soft": true}]}"#);
    assert_eq!(
        misplaced,
        "scorers[0]: `least-requests`: `soft` means nothing for a scorer"
    );
    assert!(serde_json::from_str::<PipelineSpec>(r#"{"pickr": "best"}"#).is_err());
}

#[test]
fn stages_fall_back_from_model_to_default_to_builtin() {
    let named = |name: &str| Pipeline::builder().picker(name, Best).build();
    let pipelines = Pipelines::new(ModelPipelines::default().with(Stage::Prefill, named("p")))
        .model(
            "m",
            ModelPipelines::default().with(Stage::Unified, named("m")),
        );
    assert_eq!(pipelines.of("m", Stage::Unified).picker_name, "m");
    assert_eq!(pipelines.of("m", Stage::Prefill).picker_name, "p");
    assert_eq!(pipelines.of("m", Stage::Decode).picker_name, "m");
    assert_eq!(pipelines.of("x", Stage::Decode).picker_name, "best");
}

#[test]
fn a_registered_scorer_of_a_user_is_declared_like_a_built_in_one() {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named {
        favourite: String,
    }
    let mut registry = Registry::builtin();
    registry.scorer("favourite", |params: Named| {
        Ok(scorer_fn(move |_, c| {
            f32::from(u8::from(c.endpoint.name() == params.favourite))
        }))
    });
    let spec = serde_json::from_str(
        r#"{"scorers": [{"name": "favourite", "favourite": "b", "weight": 2}]}"#,
    );
    let pipeline = registry.build(&spec.expect("json")).expect("valid");
    let placed = pipeline
        .place(&fleet(&["a", "b"]), &cx(), &mut Rng::from_seed(1))
        .expect("placed");
    assert_eq!(placed.endpoint().name(), "b");
}

#[test]
fn the_default_keeps_a_prefix_together_but_does_not_pile_it_up() {
    let names: Vec<_> = (0..8).map(|n| format!("e{n}")).collect();
    let fleet = fleet(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let pipeline = Pipeline::default();
    let blocks: Vec<_> = (1..=96).map(crate::BlockHash).collect();
    let cx = RouteCx::new("m", NOW)
        .prompt(6_144, &blocks, 64)
        .output(100);
    let mut rng = Rng::from_seed(5);
    let mut place = || pipeline.place(&fleet, &cx, &mut rng).expect("placed");
    let mut serve = || {
        let mut placement = place();
        placement.first_token(None, NOW);
        placement.endpoint().id()
    };
    let home = serve();
    for _ in 0..20 {
        assert_eq!(
            serve(),
            home,
            "one after the other they follow their prefix"
        );
    }
    let held: Vec<_> = (0..400).map(|_| place()).collect();
    let loads = fleet
        .endpoints()
        .iter()
        .map(|e| e.state().in_flight().requests);
    assert!(
        loads.clone().max() <= Some(75),
        "{:?}",
        loads.collect::<Vec<_>>()
    );
    drop(held);
}

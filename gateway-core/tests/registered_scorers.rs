//! What the registry does for scorers beyond building them: bending their scores, and letting them learn.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use gateway_core::{
    Candidate, EndpointSpec, Fleet, Observer, Registry, Rng, RouteCx, RouteEvent, Scorer,
    Timestamp, plugin::scorer_fn,
};

fn fleet() -> Fleet {
    Fleet::new(["a", "b"].map(|name| EndpointSpec::new(name).model("m"))).expect("valid")
}

fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.scorer("half", |_: serde_json::Value| Ok(scorer_fn(|_, _| 0.5)));
    registry
}

fn refusal(json: &str) -> String {
    let spec = serde_json::from_str(json).expect("json");
    registry().build(&spec).expect_err(json).to_string()
}

#[test]
fn a_transform_bends_the_scores_of_any_scorer() {
    let spec = r#"{"scorers": [
        {"name": "half", "weight": 3, "transform": {"name": "linear", "high": 0.5}},
        {"name": "half", "transform": "logistic"}]}"#;
    let pipeline = registry()
        .build(&serde_json::from_str(spec).expect("json"))
        .expect("valid");
    let cx = RouteCx::new("m", Timestamp::ZERO);
    let (_, record) = pipeline.place_explained(&fleet(), &cx, &mut Rng::from_seed(1));
    let scores = record.candidates[0].scores.iter().map(|word| word.score);
    let scores: Vec<_> = scores.collect();
    assert_eq!(scores[0], 1.0);
    assert!((scores[1] - 0.0573).abs() < 1e-3, "{scores:?}");
}

#[test]
fn a_transform_is_for_scorers_and_must_make_sense() {
    assert_eq!(
        refusal(r#"{"filters": [{"name": "healthy", "transform": "linear"}]}"#),
        "filters[0]: `healthy`: `transform` means nothing for a filter"
    );
    assert_eq!(
        refusal(r#"{"picker": {"name": "best", "transform": "linear"}}"#),
        "picker: `best`: `transform` means nothing for a picker"
    );
    let steepness = refusal(
        r#"{"scorers": [{"name": "latency", "transform": {"name": "logistic", "k": -1}}]}"#,
    );
    assert_eq!(
        steepness,
        "scorers[0]: `latency`: `transform`: `k` must be a positive number"
    );
}

/// Dislikes the endpoint that was chosen last.
#[derive(Default)]
struct Turns(AtomicU32);

impl Scorer for Turns {
    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        let last = self.0.load(Relaxed);
        for (candidate, score) in candidates.iter().zip(out) {
            let is_last = candidate.endpoint.id().index() + 1 == last as usize;
            *score = if is_last { 0.0 } else { 1.0 };
        }
    }
}

impl Observer for Turns {
    fn observe(&self, event: &RouteEvent<'_>) {
        if let RouteEvent::Placed { endpoint, .. } = event {
            self.0.store(endpoint.index() as u32 + 1, Relaxed);
        }
    }
}

#[test]
fn a_scorer_that_learns_is_wired_by_its_name_alone() {
    let mut registry = registry();
    registry.learning_scorer("turns", |_: serde_json::Value| Ok(Turns::default()));
    let spec = serde_json::from_str(r#"{"scorers": [{"name": "turns", "transform": "linear"}]}"#);
    let pipeline = registry.build(&spec.expect("json")).expect("valid");
    let (fleet, mut rng) = (fleet(), Rng::from_seed(1));
    let cx = RouteCx::new("m", Timestamp::ZERO);
    let mut place = || {
        let placed = pipeline.place(&fleet, &cx, &mut rng).expect("placed");
        placed.endpoint().id()
    };
    let mut last = place();
    for _ in 0..10 {
        let next = place();
        assert_ne!(next, last);
        last = next;
    }
}

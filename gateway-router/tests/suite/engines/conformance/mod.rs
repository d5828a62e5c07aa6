//! What every engine client must do, run for each kind against a simulated engine with that kind's surface.

mod beside;
mod text;
mod tokens;

use std::time::Duration;

use gateway_router::{
    EngineKind,
    engine::{EngineClient, HttpEngine},
};
use gateway_sim::engine::{Flavour, RunningEngine, SimConfig};

use crate::common::{rig::credential, sim, within};

/// A client with the engine it talks to.
struct Pair {
    engine: RunningEngine,
    client: HttpEngine,
    kind: EngineKind,
}

/// What has the surface of a kind; an engine of no known kind may be anything, vLLM for one.
fn flavour(kind: EngineKind) -> Flavour {
    match kind {
        EngineKind::Vllm | EngineKind::OpenAi => Flavour::Vllm,
        EngineKind::Sglang => Flavour::Sglang,
        EngineKind::Tgi => Flavour::Tgi,
        EngineKind::Mindie => Flavour::Mindie,
        EngineKind::TensorRtLlm => Flavour::Trtllm,
        EngineKind::LlamaCpp => Flavour::Llamacpp,
    }
}

/// A pair whose engine runs a hundred times as fast as its chip.
async fn pair(kind: EngineKind) -> Pair {
    pair_at(kind, 100.0).await
}

async fn pair_at(kind: EngineKind, time_scale: f64) -> Pair {
    pair_with(kind, |config| config.time_scale = time_scale).await
}

async fn pair_with(kind: EngineKind, change: impl FnOnce(&mut SimConfig)) -> Pair {
    let engine = sim::start_with(|config| {
        config.api_key = Some("s3cret".into());
        config.flavour = flavour(kind);
        change(config);
    })
    .await;
    let client = HttpEngine::new(
        sim::target(&engine),
        kind,
        credential("s3cret"),
        4,
        Duration::from_secs(30),
    );
    Pair {
        engine,
        client,
        kind,
    }
}

/// A pair of each kind.
async fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for kind in EngineKind::ALL {
        pairs.push(pair(kind).await);
    }
    pairs
}

/// The same, whose engines are no faster than their chips: what is begun there is not over soon.
async fn slow_pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    for kind in EngineKind::ALL {
        pairs.push(pair_at(kind, 1.0).await);
    }
    pairs
}

/// Waits until the only request has been withdrawn from the scheduler.
async fn freed(pair: &Pair) {
    within(polled_until(|| pair.engine.stats().aborted == 1)).await;
    let stats = pair.engine.stats();
    let left = (stats.running, stats.waiting, stats.finished);
    assert_eq!(left, (0, 0, 0), "{:?}", pair.kind);
}

async fn polled_until(reached: impl Fn() -> bool) {
    while !reached() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn detection_tells_the_kind() {
    for pair in pairs().await {
        let target = sim::target(&pair.engine);
        let key = credential("s3cret");
        let found = gateway_router::detect(&target, key.as_ref(), Duration::from_secs(30));
        let found = within(found).await.expect("it answers");
        let expected = match pair.kind {
            EngineKind::OpenAi => EngineKind::Vllm,
            kind => kind,
        };
        assert_eq!(found.kind, expected);
        assert_eq!(found.models[0].id, "m");
        assert!(found.models[0].max_model_len.is_some(), "{expected:?}");
        assert_eq!(
            within(pair.client.models()).await.expect("a list").len(),
            found.models.len()
        );
    }
}

//! Health, load and models.

use gateway_router::{
    EngineKind,
    core::load::Telemetry,
    engine::{EngineClient, GenerateCall},
};
use gateway_sim::engine::{FaultKind, FaultSpec};

use super::{Pair, pairs, slow_pairs, tokens};
use crate::common::within;

#[tokio::test]
async fn probes() {
    for pair in pairs().await {
        within(pair.client.probe()).await.expect("it is well");
        if pair.kind != EngineKind::OpenAi {
            pair.engine
                .inject(FaultSpec::new(FaultKind::Health503).times(1));
            within(pair.client.probe())
                .await
                .expect_err("its health route says no");
            within(pair.client.probe()).await.expect("it is well again");
        }
        pair.engine.inject(FaultSpec::new(FaultKind::Die));
        within(pair.client.probe()).await.expect_err("it is dead");
    }
}

async fn reading(pair: &Pair) -> Telemetry {
    let reading = within(pair.client.telemetry()).await;
    reading.unwrap_or_else(|error| panic!("{:?}: {error}", pair.kind))
}

/// What each kind tells: whether it counts what it generated, and whether its cache's size is known.
fn tells(kind: EngineKind) -> (bool, bool) {
    match kind {
        EngineKind::Vllm | EngineKind::Sglang | EngineKind::TensorRtLlm | EngineKind::LlamaCpp => {
            (true, true)
        }
        EngineKind::Mindie => (true, false),
        EngineKind::Tgi | EngineKind::OpenAi => (false, false),
    }
}

#[tokio::test]
async fn load_is_read_while_there_is_some() {
    for pair in slow_pairs().await {
        if matches!(pair.kind, EngineKind::Tgi | EngineKind::OpenAi) {
            continue;
        }
        let idle = reading(&pair).await;
        assert_eq!(idle.running.unwrap_or(0), 0, "{:?}", pair.kind);
        let call: GenerateCall = tokens::call(&[1, 2, 3], 400);
        let _under_way = tokens::begin(&pair, call).await;
        let busy = reading(&pair).await;
        assert_eq!(busy.running, Some(1), "{:?}: {busy:?}", pair.kind);
        let (counts, size) = tells(pair.kind);
        assert_eq!(busy.generation_tokens.is_some(), counts, "{:?}", pair.kind);
        assert_eq!(busy.kv_capacity_tokens.is_some(), size, "{:?}", pair.kind);
        // A slot that does not say how long its prompt is leaves open how full it is.
        let full = pair.kind != EngineKind::LlamaCpp;
        let share = busy.kv_used.filter(|share| *share < 1.0);
        assert_eq!(share.is_some(), full, "{:?}: {busy:?}", pair.kind);
    }
}

#[tokio::test]
async fn what_a_kind_does_not_tell_is_unknown_and_never_zero() {
    for pair in pairs().await {
        let tgi = pair.kind == EngineKind::Tgi;
        let reading = reading(&pair).await;
        if pair.kind == EngineKind::OpenAi {
            assert_eq!(reading, Telemetry::default());
        }
        if tgi {
            assert_eq!((reading.running, reading.waiting), (Some(0), Some(0)));
            assert_eq!((reading.kv_used, reading.generation_tokens), (None, None));
        }
    }
}

#[tokio::test]
async fn numbers_that_are_none_are_unknown() {
    for pair in pairs().await {
        if pair.kind != EngineKind::Vllm {
            continue;
        }
        pair.engine
            .inject(FaultSpec::new(FaultKind::NanMetric).times(1));
        let odd = reading(&pair).await;
        assert_eq!((odd.kv_used, odd.waiting), (None, Some(0)));
    }
}

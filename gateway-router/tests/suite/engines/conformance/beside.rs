//! Health, load and models.

use futures_util::future::Either;
use gateway_router::{
    BoxBody, EngineKind,
    core::load::Telemetry,
    engine::{EngineClient, GenerateCall},
};
use gateway_sim::engine::{FaultKind, FaultSpec};

use super::{Pair, pairs, slow_pairs, text, tokens};
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

/// What each kind tells: whether it counts what it generated, whether its cache's size is known, and how full it is.
fn tells(kind: EngineKind) -> (bool, bool, bool) {
    match kind {
        EngineKind::Vllm | EngineKind::Sglang | EngineKind::TensorRtLlm => (true, true, true),
        // A slot that does not say how long its prompt is leaves open how full it is.
        EngineKind::LlamaCpp => (true, true, false),
        EngineKind::Mindie => (true, false, true),
        EngineKind::Tgi | EngineKind::OpenAi => (false, false, false),
    }
}

/// Something for the engine to do: by ids, where it takes any.
async fn begin(pair: &Pair) -> Either<tokens::UnderWay<'_>, BoxBody> {
    if pair.kind == EngineKind::Tgi {
        return Either::Right(text::begin(pair).await);
    }
    let call: GenerateCall = tokens::call(&[1, 2, 3], 400);
    Either::Left(tokens::begin(pair, call).await)
}

#[tokio::test]
async fn load_is_read_while_there_is_some() {
    for pair in slow_pairs().await {
        let idle = reading(&pair).await;
        assert_eq!(idle.running.unwrap_or(0), 0, "{:?}", pair.kind);
        let _under_way = begin(&pair).await;
        let busy = reading(&pair).await;
        if pair.kind == EngineKind::OpenAi {
            assert_eq!(busy, Telemetry::default(), "it has no way to tell");
            continue;
        }
        assert_eq!(busy.running, Some(1), "{:?}: {busy:?}", pair.kind);
        let (counts, size, full) = tells(pair.kind);
        assert_eq!(busy.generation_tokens.is_some(), counts, "{:?}", pair.kind);
        assert_eq!(busy.kv_capacity_tokens.is_some(), size, "{:?}", pair.kind);
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

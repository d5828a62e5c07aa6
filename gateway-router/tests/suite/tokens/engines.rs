//! Against the simulated engine.

use gateway_router::{EngineKind, Router, TokenRequest, proto::openai::Api};
use gateway_sim::engine::{FaultKind, FaultSpec, RunningEngine};

use super::{call, read, request, used};
use crate::{
    common::{
        rig::{self, Rig},
        sim, within,
    },
    feed::rig as fed,
};

fn rig_over(engine: &RunningEngine, kind: EngineKind) -> Rig {
    let mut settings = rig::settings(&[engine.addr()]);
    settings.endpoints[0].kind = kind;
    Rig::with(settings)
}

#[tokio::test]
async fn both_of_vllms_routes_give_the_same_ids() {
    let engine = sim::start().await;
    let mut answers = Vec::new();
    for (kind, path) in [
        (EngineKind::Vllm, "/inference/v1/generate"),
        (EngineKind::OpenAi, "/v1/completions"),
    ] {
        let rig = rig_over(&engine, kind);
        let mut request = request();
        request.call.sampling.ignore_eos = Some(true);
        let reply = within(rig.router.generate(request)).await.expect("served");
        let (ids, end) = read(reply).await;
        let cost = end.expect("done");
        assert_eq!((ids.len(), cost.completion_tokens), (5, 5), "{kind:?}");
        assert_eq!(cost.prompt_tokens, 3);
        assert_eq!(engine.last_request().path, path);
        answers.push(ids);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_dropped_stream_is_withdrawn_from_the_scheduler() {
    let engine = sim::start().await;
    let rig = rig_over(&engine, EngineKind::Vllm);
    let mut request = request();
    request.call.max_tokens = 50_000;
    request.call.sampling.ignore_eos = Some(true);
    let mut reply = within(rig.router.generate(request)).await.expect("served");
    within(reply.events.next()).await.expect("a token");
    drop(reply);
    within(async {
        while engine.stats().aborted == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    rig.assert_idle();
}

#[tokio::test]
async fn an_engine_that_fails_under_200_is_retried_elsewhere() {
    let (bad, good) = (sim::start().await, sim::start().await);
    bad.inject(FaultSpec::new(FaultKind::ErrorChunk).after_chunks(0));
    let mut settings = rig::settings(&[bad.addr(), good.addr()]);
    for endpoint in &mut settings.endpoints {
        endpoint.kind = EngineKind::Vllm;
    }
    let rig = Rig::with(settings);
    let reply = within(rig.router.generate(request()))
        .await
        .expect("served");
    assert_eq!(&*reply.endpoint, "b");
    read(reply).await.1.expect("done");
    rig.assert_idle();
}

/// The endpoint that a prompt goes to.
async fn route(router: &Router, prompt: &[u32], salt: Option<&str>) -> String {
    let mut call = call(prompt);
    call.max_tokens = 1;
    call.cache_salt = salt.map(str::to_owned);
    let request = TokenRequest::new(Api::Completions, call);
    let reply = within(router.generate(request)).await.expect("served");
    let endpoint = reply.endpoint.to_string();
    read(reply).await.1.expect("done");
    endpoint
}

/// The keys of a prompt are those that the engines' events are translated to.
#[tokio::test]
async fn a_prompt_goes_where_events_say_it_is() {
    let (a, b) = (fed::engine(|_| {}).await, fed::engine(|_| {}).await);
    let router = fed::router(fed::settings(&[&a, &b]));
    fed::until_exact(&router, "a").await;
    fed::until_exact(&router, "b").await;
    let (first, second) = (fed::prompt(1, 6), fed::prompt(2, 4));
    fed::compute(&a, &first).await;
    fed::compute(&b, &second).await;
    fed::until_known(&router, "a", 6).await;
    fed::until_known(&router, "b", 4).await;
    assert_eq!(route(&router, &first, None).await, "a");
    assert_eq!(route(&router, &second, None).await, "b");
    assert_eq!(route(&router, &first[..3 * 16 + 1], None).await, "a");
    // Under a salt it is another prompt, and where nothing is known the last engine is taken.
    assert_eq!(route(&router, &first, Some("salt")).await, "b");
}

#[tokio::test]
async fn what_the_engine_found_in_its_cache_is_told() {
    let engine = sim::start().await;
    let rig = rig_over(&engine, EngineKind::Vllm);
    let prompt: Vec<u32> = (0..65).collect();
    for cached in [0, 64] {
        let request = TokenRequest::new(Api::ChatCompletions, call(&prompt));
        let reply = within(rig.router.generate(request)).await.expect("served");
        let cost = read(reply).await.1.expect("done");
        assert_eq!(cost, used(65, cost.completion_tokens, Some(cached)));
    }
}

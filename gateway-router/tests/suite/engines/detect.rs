//! Finding out what listens at an address.

use std::time::Duration;

use gateway_router::{Detected, EngineKind, RouteError, Target, detect};

use crate::common::{
    rig::credential,
    script::{ScriptEngine, Step, say},
    sim,
    table::TableEngine,
    wire::reply,
    within,
};

const PATIENCE: Duration = Duration::from_secs(30);

async fn ask(engine: &ScriptEngine) -> Result<Detected, RouteError> {
    let target = Target::parse(&format!("http://{}", engine.addr)).expect("an address");
    within(detect(&target, None, PATIENCE)).await
}

fn list(owner: &str) -> String {
    format!(r#"{{"object":"list","data":[{{"id":"m","object":"model","owned_by":"{owner}"}}]}}"#)
}

#[tokio::test]
async fn a_simulated_vllm_with_an_adapter() {
    let engine = sim::start_with(|config| {
        config.adapters = vec!["tuned".into()];
        config.api_key = Some("s3cret".into());
    })
    .await;
    let target = sim::target(&engine);
    let found = detect(&target, credential("s3cret").as_ref(), PATIENCE)
        .await
        .expect("it answers");
    assert_eq!(found.kind, EngineKind::Vllm);
    let names: Vec<_> = found
        .models
        .iter()
        .map(|card| (card.id.as_str(), card.parent.as_deref()))
        .collect();
    assert_eq!(names, [("m", None), ("tuned", Some("m"))]);
    detect(&target, credential("wrong").as_ref(), PATIENCE)
        .await
        .expect_err("not with this one");
}

async fn ask_table(engine: &TableEngine) -> Result<Detected, RouteError> {
    within(detect(&engine.target(), None, PATIENCE)).await
}

#[tokio::test]
async fn owners_tell_the_kind() {
    for (owner, kind) in [
        ("vllm", EngineKind::Vllm),
        ("sglang", EngineKind::Sglang),
        ("tensorrt_llm", EngineKind::TensorRtLlm),
        ("llamacpp", EngineKind::LlamaCpp),
        ("MindIE Server", EngineKind::Mindie),
    ] {
        let engine = TableEngine::start(&[("/v1/models", &list(owner))]).await;
        let found = ask_table(&engine).await.expect("a list");
        assert_eq!((found.kind, found.models.len()), (kind, 1));
        assert_eq!(engine.asked(), ["/v1/models"], "no need to look further");
    }
}

const INFO: &str = r#"{"model_id":"org/m","model_sha":null,"max_concurrent_requests":128,"max_total_tokens":4096,"router":"text-generation-router"}"#;

#[tokio::test]
async fn tgi_is_told_by_its_description_whether_it_lists_models_or_not() {
    let listing = TableEngine::start(&[("/v1/models", &list("org/m")), ("/info", INFO)]).await;
    let old = TableEngine::start(&[("/info", INFO)]).await;
    for (engine, name) in [(listing, "m"), (old, "org/m")] {
        let found = ask_table(&engine).await.expect("it says what it is");
        assert_eq!(found.kind, EngineKind::Tgi);
        let card = &found.models[0];
        assert_eq!((card.id.as_str(), card.max_model_len), (name, Some(4096)));
    }
}

/// Its description of itself is like TGI's.
#[tokio::test]
async fn mindie_is_told_by_its_status() {
    let status = r#"{"service":{"roleStatus":"RoleReady"},"resource":{"runningRequestNum":0}}"#;
    let routes = [
        ("/v1/models", &*list("someone")),
        ("/v2/status", status),
        ("/info", INFO),
    ];
    let engine = TableEngine::start(&routes).await;
    let found = ask_table(&engine).await.expect("a list");
    assert_eq!(found.kind, EngineKind::Mindie);
}

#[tokio::test]
async fn metrics_tell_the_kind_where_nothing_else_does() {
    let page = "# TYPE tgi_queue_size gauge\ntgi_queue_size 0\ntgi_batch_current_size 1\n";
    let routes = [("/v1/models", &*list("someone")), ("/metrics", page)];
    let engine = TableEngine::start(&routes).await;
    let found = ask_table(&engine).await.expect("a list");
    assert_eq!(found.kind, EngineKind::Tgi);
}

#[tokio::test]
async fn whatever_else_lists_models_is_some_engine_with_openais_routes() {
    let engine = TableEngine::start(&[("/v1/models", &list("openai"))]).await;
    let found = ask_table(&engine).await.expect("a list");
    assert_eq!(found.kind, EngineKind::OpenAi);
    assert!(engine.asked().contains(&"/metrics".to_owned()));
}

#[tokio::test]
async fn what_lists_no_models_is_no_engine() {
    for odd in [
        reply(200, "<html>"),
        reply(200, r#"{"data":[{}]}"#),
        reply(404, "{}"),
        "SSH-2.0\r\n".into(),
    ] {
        let engine = ScriptEngine::always(say(odd.clone())).await;
        ask(&engine).await.expect_err(&odd);
    }
    let closes = ScriptEngine::always(vec![Step::Read]).await;
    ask(&closes).await.expect_err("closed without a word");
}

//! Finding out what listens at an address.

use std::time::Duration;

use gateway_router::{Detected, EngineKind, RouteError, Target, detect};

use crate::common::{
    rig::credential,
    script::{ScriptEngine, Step, say},
    sim,
    wire::reply,
    within,
};

const PATIENCE: Duration = Duration::from_secs(30);

async fn ask(engine: &ScriptEngine) -> Result<Detected, RouteError> {
    let target = Target::parse(&format!("http://{}", engine.addr)).expect("an address");
    within(detect(&target, None, PATIENCE)).await
}

fn list(owner: &str) -> String {
    reply(
        200,
        &format!(
            r#"{{"object":"list","data":[{{"id":"m","object":"model","owned_by":"{owner}"}}]}}"#
        ),
    )
}

fn page(text: &str) -> String {
    reply(200, text).replace("application/json", "text/plain")
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

#[tokio::test]
async fn owners_tell_the_kind() {
    for (owner, kind) in [("vllm", EngineKind::Vllm), ("sglang", EngineKind::Sglang)] {
        let engine = ScriptEngine::always(say(list(owner))).await;
        let found = ask(&engine).await.expect("a list");
        assert_eq!((found.kind, found.models.len()), (kind, 1));
        assert_eq!(engine.accepted(), 1, "no need to look further");
    }
}

#[tokio::test]
async fn metrics_tell_the_kind_where_the_owner_does_not() {
    let tgi = "# TYPE tgi_queue_size gauge\ntgi_queue_size 0\n# TYPE tgi_batch_current_size gauge\ntgi_batch_current_size 1\n";
    let engine = ScriptEngine::on_each(vec![say(list("someone")), say(page(tgi))]).await;
    assert_eq!(ask(&engine).await.expect("a list").kind, EngineKind::Tgi);
}

#[tokio::test]
async fn whatever_else_lists_models_is_some_engine_with_openais_routes() {
    let missing = reply(404, r#"{"detail":"Not Found"}"#);
    let answers = [list("openai"), missing.clone(), missing];
    let engine = ScriptEngine::on_each(answers.map(say).to_vec()).await;
    assert_eq!(ask(&engine).await.expect("a list").kind, EngineKind::OpenAi);
    assert_eq!(
        engine.heard()[1].head.lines().next(),
        Some("GET /metrics HTTP/1.1")
    );
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

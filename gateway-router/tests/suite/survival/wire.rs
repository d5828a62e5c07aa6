//! The same over sockets, in an engine's own words.

use std::time::Duration;

use gateway_router::{Ending, EngineKind, ErrorKind};
use serde_json::Value;

use crate::common::{
    rig::{self, Rig},
    script::{ScriptEngine, Step, say, say_and_stay},
    wire::{DONE, chunk, error_event, stream, whole_stream},
    within,
};

/// An event of vLLM's `/inference/v1/generate`.
fn event(id: u32, end: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"token_ids\":[{id}]{end}}}]}}\n\n")
}

/// The first token, then what a test wants.
fn five_then(rest: &str) -> Vec<Step> {
    vec![
        Step::Read,
        Step::Say(stream(&[&event(5, "")])),
        Step::Pause,
        Step::Say(chunk(rest)),
    ]
}

async fn is_survived(script: Vec<Step>, kind: ErrorKind) {
    let shown = format!("{script:?}");
    let first = ScriptEngine::always(script).await;
    let rest = [event(6, ""), event(7, ",\"finish_reason\":\"length\"")];
    let second = ScriptEngine::always(say(whole_stream(&[&rest[0], &rest[1], DONE]))).await;
    let mut settings = rig::settings(&[first.addr, second.addr]);
    for endpoint in &mut settings.endpoints {
        endpoint.kind = EngineKind::Vllm;
    }
    settings.deadlines.idle = Duration::from_millis(300);
    let rig = Rig::with(settings);
    let asked = super::request(super::call(5));
    let reply = within(rig.router.generate(asked)).await.expect("it begins");
    let told = super::read(reply).await;
    assert_eq!(told.ids(), [5, 6, 7], "{shown}");
    assert_eq!(told.end, Ok(super::used(3, 3)), "{shown}");
    let heard = second.only();
    assert_eq!(heard.header("x-request-id"), Some("r-0-0-1"));
    let body: Value = serde_json::from_str(&heard.body).expect("JSON");
    assert_eq!(
        body["token_ids"],
        serde_json::json!([1, 2, 3, 5]),
        "{shown}"
    );
    assert_eq!(body["sampling_params"]["max_tokens"], 4, "{shown}");
    let endings: Vec<_> = rig.reports.all().iter().map(|one| one.ending).collect();
    assert_eq!(
        endings,
        [Ending::Resumed(kind), Ending::Completed],
        "{shown}"
    );
    rig.assert_idle();
}

#[tokio::test]
async fn a_connection_that_closes() {
    is_survived(say(stream(&[&event(5, "")])), ErrorKind::Broken).await;
    is_survived(five_then(DONE), ErrorKind::Broken).await;
}

#[tokio::test]
async fn an_error_event_with_a_polite_end() {
    let died = format!("{}{DONE}", error_event(500, "core died"));
    is_survived(five_then(&died), ErrorKind::EngineFailed).await;
}

#[tokio::test]
async fn an_abort_for_an_ending() {
    let abort =
        "data: {\"choices\":[{\"index\":0,\"token_ids\":[],\"finish_reason\":\"abort\"}]}\n\n";
    is_survived(
        five_then(&format!("{abort}{DONE}")),
        ErrorKind::EngineFailed,
    )
    .await;
}

#[tokio::test]
async fn a_silence() {
    is_survived(say_and_stay(stream(&[&event(5, "")])), ErrorKind::Timeout).await;
}

#[tokio::test]
async fn a_request_thrown_out() {
    let thrown = "data: {\"choices\":[{\"index\":0,\"token_ids\":[],\"finish_reason\":\"stop\",\"stop_reason\":\"recomputed\"}]}\n\n";
    is_survived(five_then(&format!("{thrown}{DONE}")), ErrorKind::Recomputed).await;
}

//! The engine's own chat route behind the same events.

use gateway_router::{
    Ending, ErrorKind,
    proto::{ir::Finish, openai::Api},
};

use serde_json::json;

use super::{Edge, ask, chat_request, constraints::city_schema, gathered, question};
use crate::common::{
    rig::{self, Rig},
    script::{ScriptEngine, say},
    wire::{DONE, ONE, STOP, stream, whole_stream},
    within,
};

#[tokio::test]
async fn an_engine_that_speaks_chat_gives_the_same_events() {
    let edge = Edge::start(&[("Hello", "Good morning.")]).await;
    let by_tokens = edge.chat(question("Hello")).await;
    let reply = edge.ask_by(chat_request(question("Hello")), None).await;
    let by_text = gathered(reply.expect("an answer"))
        .await
        .expect("it does not break");
    assert_eq!(by_text.choices[0].text(), by_tokens.choices[0].text());
    assert_eq!(by_text.choices[0].finish, Some(Finish::Stop));
    assert_eq!(by_text.usage.prompt_tokens, by_tokens.usage.prompt_tokens);
    assert_eq!(
        by_text.usage.completion_tokens,
        by_tokens.usage.completion_tokens
    );
}

/// What the only choice of an answer to `body` lacks, where the engine sends `delta`.
async fn violation(delta: &serde_json::Value, body: serde_json::Value) -> Option<String> {
    let chunk = json!({"choices": [{"index": 0, "delta": delta}]});
    let chunk = format!("data: {chunk}\n\n");
    let engine = ScriptEngine::always(say(whole_stream(&[&chunk, STOP, DONE]))).await;
    let rig = Rig::new(&[engine.addr]);
    let reply = within(rig.router.answer(ask(chat_request(body), None))).await;
    let answer = gathered(reply.expect("an answer")).await;
    let mut answer = answer.expect("it does not break");
    let violation = answer.choices.swap_remove(0).violation;
    let told = rig.reports.only_edge();
    assert_eq!(told.violations, u32::from(violation.is_some()));
    assert_eq!((told.parser, told.prompt_tokens), (None, 0));
    violation
}

#[tokio::test]
async fn a_broken_promise_of_text_is_told_as_well() {
    let mut body = question("where?");
    body["response_format"] = city_schema(true);
    let broken = violation(&json!({"content": "{\"town\": 7}"}), body.clone()).await;
    assert!(broken.is_some_and(|broken| broken.contains("schema")));
    let kept = violation(&json!({"content": "{\"city\": \"Oslo\"}"}), body.clone()).await;
    assert_eq!(kept, None);
    let mut streamed = body.clone();
    streamed["stream"] = true.into();
    let broken = violation(&json!({"content": "{}"}), streamed).await;
    assert!(broken.is_some());
    body["response_format"] = city_schema(false);
    assert_eq!(violation(&json!({"content": "{}"}), body).await, None);

    let mut body = super::with_tool("where?");
    body["tools"][0]["function"]["strict"] = true.into();
    let call = |arguments: &str| {
        json!({"tool_calls": [{"index": 0, "id": "c",
        "function": {"name": "look_up", "arguments": arguments}}]})
    };
    let broken = violation(&call("{}"), body.clone()).await;
    assert!(broken.is_some_and(|broken| broken.contains("look_up")));
    assert_eq!(violation(&call("{\"city\": \"Oslo\"}"), body).await, None);
}

#[tokio::test]
async fn reports_tell_how_the_caller_asked_and_what_it_was_answered() {
    for (streams, status) in [(true, 200), (false, 502)] {
        let engine = ScriptEngine::always(say(stream(&[ONE]))).await;
        let mut settings = rig::settings(&[engine.addr]);
        settings.migration.enabled = false;
        let rig = Rig::with(settings);
        let mut body = question("where?");
        body["stream"] = streams.into();
        let mut asked = ask(chat_request(body), None);
        asked.api = Api::Messages;
        let reply = within(rig.router.answer(asked)).await.expect("it begins");
        let error = gathered(reply).await.expect_err("it breaks");
        assert_eq!(error.status, 502);
        let report = rig.reports.only();
        assert_eq!(report.ending, Ending::Failed(ErrorKind::Broken));
        assert_eq!((report.api, report.stream), (Api::Messages, streams));
        assert_eq!(report.status, Some(status));
    }
}

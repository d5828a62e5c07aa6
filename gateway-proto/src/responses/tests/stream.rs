use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::error::ApiError;
use crate::ir::{Answer, TokenLogprob};
use crate::responses::{OutputBody, Status, encode_answer, push_sse};

fn told(body: &Value, events: &[Event]) -> String {
    let (out, _) = written(&request(body), Framing::Sse, events);
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn plain() -> Value {
    json!({"model": "m", "input": "hi", "stream": true})
}

fn token(text: &str) -> TokenLogprob {
    TokenLogprob {
        token: text.to_owned(),
        bytes: text.as_bytes().to_vec(),
        id: None,
        logprob: -0.25,
        top: vec![TokenLogprob {
            token: "x".to_owned(),
            bytes: b"x".to_vec(),
            id: None,
            logprob: f64::NEG_INFINITY,
            top: Vec::new(),
        }],
    }
}

#[test]
fn text_alone() {
    let events = [
        text("Hel"),
        text("lo \"you\"\n"),
        finished(Finish::Stop),
        usage(),
    ];
    assert_snapshot!(told(&plain(), &events));
}

#[test]
fn reasoning_then_text() {
    let body = json!({
        "model": "m", "input": "hi", "stream": true, "store": false,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
    });
    let events = [
        reasoning("So"),
        reasoning(" be it."),
        text("Yes."),
        finished(Finish::Stop),
        usage(),
    ];
    assert_snapshot!(told(&body, &events));
}

#[test]
fn two_calls_at_once() {
    let body = json!({
        "model": "m", "input": "hi", "stream": true,
        "tools": [{"type": "function", "name": "look", "parameters": {}}],
    });
    let mut events = call("call_a", "look", &["{\"at\":", "1}"]);
    events.extend(call("call_b", "look", &[]));
    events.extend([finished(Finish::ToolCalls), usage()]);
    assert_snapshot!(told(&body, &events));
}

#[test]
fn calls_of_namespaces_and_custom_tools_go_back_under_their_names() {
    let request = decode_request(sample!("coding_agent.json")).expect("a good request");
    let mut events = call("c1", "mcp__notes__search", &["{\"query\":\"x\"}"]);
    events.extend(call(
        "c2",
        "apply_patch",
        &["{\"inp", "ut\":\"*** Begin\\nPatch\"}"],
    ));
    events.extend(call("c3", "apply_patch", &["*** no JSON"]));
    events.push(finished(Finish::ToolCalls));
    let (out, _) = written(&request, Framing::Sse, &events);
    let items: Vec<Value> = on_the_wire(&out)
        .into_iter()
        .filter(|event| event["type"] == "response.output_item.done")
        .map(|event| event["item"].clone())
        .collect();
    assert_eq!(items[0]["namespace"], "mcp__notes__");
    assert_eq!(items[0]["name"], "search");
    assert_eq!(items[1]["type"], "custom_tool_call");
    assert_eq!(items[1]["input"], "*** Begin\nPatch");
    assert_eq!(items[2]["input"], "*** no JSON");
}

#[test]
fn cut_off() {
    let events = [text("Hel"), finished(Finish::Length), usage()];
    assert_snapshot!(told(&plain(), &events));
}

#[test]
fn filtered_and_broken_schemas_are_incomplete() {
    let filtered = [text("a"), finished(Finish::ContentFilter)];
    let (_, stream) = written(&request(&plain()), Framing::Silent, &filtered);
    let object: Value = serde_json::from_slice(&stream.response().to_json()).expect("JSON");
    assert_eq!(object["incomplete_details"]["reason"], "content_filter");
    let end = step(Step::Finished {
        finish: Finish::Stop,
        stop: None,
        violation: Some("/a: no number".to_owned()),
    });
    let (_, stream) = written(&request(&plain()), Framing::Silent, &[text("{}"), end]);
    let object: Value = serde_json::from_slice(&stream.response().to_json()).expect("JSON");
    assert_eq!(object["status"], "incomplete");
    let details = json!({"reason": "schema_violation", "message": "/a: no number"});
    assert_eq!(object["incomplete_details"], details);
    assert_eq!(object["output"][0]["status"], "completed");
}

#[test]
fn failed_in_the_middle() {
    let failure = ApiError::upstream("The engine went away.");
    let events = [text("Hel"), Event::Failed(Box::new(failure)), text("lo")];
    assert_snapshot!(told(&plain(), &events));
}

#[test]
fn an_engine_that_gives_up_is_a_failure() {
    let (out, stream) = written(
        &request(&plain()),
        Framing::Sse,
        &[text("Hel"), finished(Finish::Abort)],
    );
    assert!(matches!(stream.response().status, Status::Failed(_)));
    assert!(!out.ends_with(b"[DONE]\n\n"));
}

#[test]
fn a_half_written_call_is_not_closed_by_a_failure() {
    let mut events = call("c1", "look", &["{"]);
    events.pop();
    events.push(Event::Failed(Box::new(ApiError::internal())));
    let (out, stream) = written(&request(&plain()), Framing::Sse, &events);
    let closed = |event: &Value| event["type"] == "response.output_item.done";
    assert!(!on_the_wire(&out).iter().any(closed));
    assert_eq!(stream.response().output.len(), 1);
}

#[test]
fn log_probabilities_go_with_their_text() {
    let body = json!({"model": "m", "input": "hi", "top_logprobs": 1});
    let events = [
        step(Step::Logprobs(vec![token("Hel")])),
        text("Hel"),
        text("lo"),
        step(Step::Logprobs(vec![token("lo")])),
        finished(Finish::Stop),
    ];
    let (out, _) = written(&request(&body), Framing::Sse, &events);
    let wire = on_the_wire(&out);
    let of = |kind: &'static str| wire.iter().filter(move |event| event["type"] == kind);
    let deltas: Vec<usize> = of("response.output_text.delta")
        .map(|event| event["logprobs"].as_array().expect("a list").len())
        .collect();
    assert_eq!(deltas, [1, 0]);
    let done = of("response.output_text.done").next().expect("closed");
    assert_eq!(done["logprobs"][1]["token"], "lo");
    assert_eq!(done["logprobs"][0]["bytes"], json!([72, 101, 108]));
    assert_eq!(done["logprobs"][0]["top_logprobs"][0]["logprob"], -9999.0);
}

#[test]
fn log_probabilities_of_anything_but_text_are_left_out() {
    let body = json!({"model": "m", "input": "hi", "top_logprobs": 1});
    let mut events = vec![
        step(Step::Logprobs(vec![token("So")])),
        reasoning("So"),
        step(Step::Logprobs(vec![token("Yes")])),
        text("Yes"),
        step(Step::Logprobs(vec![token(".")])),
        step(Step::CallStart {
            id: "c".to_owned(),
            name: "f".to_owned(),
        }),
        step(Step::Logprobs(vec![token("{}")])),
        step(Step::CallArguments("{}".to_owned())),
    ];
    events.push(finished(Finish::ToolCalls));
    let (_, stream) = written(&request(&body), Framing::Silent, &events);
    let OutputBody::Message { logprobs, .. } = &stream.response().output[1].body else {
        panic!("no message")
    };
    assert_eq!(*logprobs, [token("Yes"), token(".")]);
}

#[test]
fn a_whole_answer_keeps_log_probabilities_with_its_text() {
    let mut answer = Answer::new(head());
    for event in [
        reasoning("So"),
        step(Step::Logprobs(vec![token("Yes")])),
        text("Yes"),
    ] {
        answer.push(event).expect("nothing failed");
    }
    let object = encode_answer(&request(&plain()), &answer, 0);
    let OutputBody::Message { logprobs, .. } = &object.output[1].body else {
        panic!("no message")
    };
    assert_eq!(*logprobs, [token("Yes")]);
}

#[test]
fn lines_are_the_same_events() {
    let events = [
        reasoning("a\nb"),
        text("c"),
        finished(Finish::Stop),
        usage(),
    ];
    let request = request(&plain());
    let (lines, _) = written(&request, Framing::Lines, &events);
    let mut framed = Vec::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        push_sse(line, &mut framed);
    }
    framed.extend_from_slice(crate::responses::DONE);
    let (direct, _) = written(&request, Framing::Sse, &events);
    assert_eq!(framed, direct);
}

#[test]
fn a_queued_response_is_created_once() {
    let mut stream = ResponseStream::new(&request(&plain()), &head(), Framing::Sse);
    let mut out = Vec::new();
    stream.queue(&mut out);
    stream.event(&text("a"), &mut out);
    let kinds: Vec<String> = on_the_wire(&out)
        .iter()
        .map(|event| event["type"].as_str().expect("a word").to_owned())
        .collect();
    let opening = [
        "response.created",
        "response.queued",
        "response.in_progress",
    ];
    assert_eq!(kinds[..3], opening);
    stream.cancel();
    let before = out.len();
    stream.event(&text("b"), &mut out);
    stream.finish(&mut out);
    assert_eq!(out.len(), before, "nothing after a cancel");
    let object: Value = serde_json::from_slice(&stream.response().to_json()).expect("JSON");
    assert_eq!(object["status"], "cancelled");
    assert_eq!(object["output"][0]["status"], "incomplete");
}

#[test]
fn other_choices_are_left_out() {
    let other = Event::Step {
        choice: 1,
        step: Step::Text("b".to_owned()),
    };
    let (_, stream) = written(&request(&plain()), Framing::Silent, &[text("a"), other]);
    assert_eq!(stream.response().output.len(), 1);
}

#[test]
fn an_answer_of_nothing_is_whole() {
    let answer = Answer::new(head());
    let object = encode_answer(&request(&plain()), &answer, 1_700_000_001);
    assert_eq!(object.status, Status::Completed);
    assert_eq!(object.completed_at, Some(1_700_000_001));
    assert!(object.output.is_empty());
}

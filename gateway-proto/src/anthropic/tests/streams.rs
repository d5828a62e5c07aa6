use serde_json::{Value, json};

use super::*;
use crate::anthropic::{decode_request, encode_answer, encode_count};
use crate::error::ApiError;
use crate::ir::Content;

fn thought_and_called() -> Vec<Event> {
    vec![
        reasoning("Look "),
        reasoning("first."),
        text("I \"look\".\n"),
        text("Now."),
        call("toolu_1", "ls"),
        arguments("{\"path\":"),
        arguments("\"/\"}"),
        step(Step::CallEnd),
        call("toolu_2", "pwd"),
        step(Step::CallEnd),
        finished(Finish::ToolCalls, None),
        usage(12, Some(8), 31),
    ]
}

#[test]
fn thinking_text_and_two_calls() {
    insta::assert_snapshot!(stream(&thought_and_called()));
}

#[test]
fn a_stop_text() {
    let ended = finished(Finish::Stop, Some(StopCause::Text("END".into())));
    insta::assert_snapshot!(stream(&[usage(12, Some(4), 0), text("a"), ended]));
}

#[test]
fn nothing_said() {
    insta::assert_snapshot!(stream(&[finished(Finish::Length, None)]));
}

#[test]
fn a_failure_has_no_good_ending() {
    let (mut encoder, mut out) = (MessageStream::new(head()), Vec::new());
    encoder.event(&text("a"), &mut out);
    let failed = Event::Failed(Box::new(ApiError::overloaded("Busy.")));
    encoder.event(&failed, &mut out);
    encoder.event(&text("b"), &mut out);
    encoder.finish(&mut out);
    insta::assert_snapshot!(String::from_utf8(out).expect("UTF-8"));
}

#[test]
fn a_whole_message() {
    let whole: Value =
        serde_json::from_slice(&encode_answer(&gathered(&thought_and_called()))).expect("JSON");
    insta::assert_json_snapshot!(whole);
}

#[test]
fn an_empty_message() {
    let whole: Value = serde_json::from_slice(&encode_answer(&Answer::new(head()))).expect("JSON");
    assert_eq!(whole["content"], json!([]));
    assert_eq!(whole["stop_reason"], "end_turn");
    assert_eq!(whole["usage"]["input_tokens"], 12);
}

#[test]
fn reasons_to_stop() {
    let called = [call("t", "f"), step(Step::CallEnd)];
    for (before, finish, reason) in [
        (&[][..], Finish::Stop, "end_turn"),
        (&called, Finish::Stop, "tool_use"),
        (&called, Finish::ToolCalls, "tool_use"),
        (&called, Finish::Length, "max_tokens"),
        (&[], Finish::ContentFilter, "refusal"),
        (&[], Finish::Abort, "pause_turn"),
        (&[], Finish::Other("refusal".into()), "refusal"),
        (&[], Finish::Other("eos".into()), "end_turn"),
    ] {
        let mut events = before.to_vec();
        events.push(finished(finish, Some(StopCause::Token(2))));
        let written = read(&stream(&events));
        let delta = &written[written.len() - 2]["delta"];
        assert_eq!(
            delta,
            &json!({"stop_reason": reason, "stop_sequence": null})
        );
    }
}

#[test]
fn a_broken_format_is_told() {
    let broken = step(Step::Finished {
        finish: Finish::Stop,
        stop: None,
        violation: Some("'a' is missing".into()),
    });
    let written = read(&stream(&[text("{}"), broken]));
    let details = &written[written.len() - 2]["delta"]["stop_details"];
    assert_eq!(details["explanation"], "'a' is missing");
}

#[test]
fn signatures_of_others_are_passed_on() {
    let events = [
        reasoning("a"),
        step(Step::Signature("theirs".into())),
        reasoning("b"),
        text("c"),
    ];
    let whole: Value = serde_json::from_slice(&encode_answer(&gathered(&events))).expect("JSON");
    assert_eq!(whole["content"][0]["signature"], "theirs");
    assert_ne!(whole["content"][1]["signature"], "theirs");
    assert_eq!(property::rebuilt(&stream(&events)), whole);
}

#[test]
fn calls_cut_short_keep_their_text() {
    let events = [
        call("t", "f"),
        arguments("{\"a\": [1"),
        finished(Finish::Length, None),
    ];
    let whole: Value = serde_json::from_slice(&encode_answer(&gathered(&events))).expect("JSON");
    assert_eq!(
        whole["content"][0]["input"],
        json!({"INVALID_JSON": "{\"a\": [1"})
    );
}

/// What a client sends back of an answer is the answer again.
#[test]
fn answers_come_back_as_they_went() {
    let answer = gathered(&thought_and_called());
    let whole: Value = serde_json::from_slice(&encode_answer(&answer)).expect("JSON");
    let results: Vec<Value> = ["toolu_1", "toolu_2"]
        .map(|id| json!({"type": "tool_result", "tool_use_id": id, "content": "ok"}))
        .into();
    let body = json!({
        "model": "m", "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "q"},
            {"role": whole["role"], "content": whole["content"]},
            {"role": "user", "content": results},
        ],
    });
    let request = decode_request(body.to_string().as_bytes()).expect("valid");
    let Prompt::Messages(turns) = request.prompt else {
        panic!("a conversation")
    };
    let (back, choice) = (&turns[1], &answer.choices[0]);
    assert_eq!(back.reasoning, Some(choice.reasoning()));
    assert_eq!(back.content, Some(Content::Text(choice.text())));
    assert_eq!(back.tool_calls[0], *choice.calls().next().expect("a call"));
    let signature = &whole["content"][0]["signature"];
    assert_eq!(
        back.extra.raw("thinking_signatures"),
        Some(json!([signature]).to_string().as_str())
    );
}

#[test]
fn counts() {
    assert_eq!(encode_count(2095), br#"{"input_tokens":2095}"#);
}

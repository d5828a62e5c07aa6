use insta::assert_debug_snapshot;

use super::*;
use crate::ir::{Content, Finish, Part, Prompt, StreamEvent, Tool};
use crate::openai::testing::{events, reply_body, request_body};

macro_rules! capture {
    ($path:literal) => {
        include_str!(concat!("../../../testdata/", $path))
    };
}

/// Reads each event, writes it and reads it again; the two readings must agree.
fn round_trip(capture: &str) -> Vec<StreamEvent> {
    let read = |data: &str| decode_chunk(data).expect("a recorded event");
    let decoded: Vec<StreamEvent> = events(capture).iter().map(|data| read(data)).collect();
    for event in &decoded {
        assert_eq!(&read(&encode_chunk(event)), event);
    }
    decoded
}

#[test]
fn recorded_streams() {
    assert_debug_snapshot!("vllm_stream", round_trip(capture!("vllm/chat_stream.txt")));
    assert_debug_snapshot!(
        "vllm_tool_stream",
        round_trip(capture!("vllm/chat_tool_named_stream.txt"))
    );
    assert_debug_snapshot!(
        "sglang_thinking",
        round_trip(capture!("sglang/chat_stream_thinking.txt"))
    );
    round_trip(capture!("llamacpp/chat_stream.txt"));
}

#[test]
fn recorded_replies() {
    for capture in [
        capture!("vllm/chat.txt"),
        capture!("vllm/chat_tool_required.txt"),
        capture!("sglang/chat.txt"),
        capture!("sglang/chat_tool_required.txt"),
        capture!("llamacpp/chat.txt"),
    ] {
        let reply = decode_reply(reply_body(capture).as_bytes()).expect("a recorded reply");
        assert_eq!(decode_reply(&encode_reply(&reply)).expect("our own"), reply);
    }
    let reply =
        decode_reply(reply_body(capture!("vllm/chat.txt")).as_bytes()).expect("a recorded reply");
    assert_eq!(reply.choices[0].finish, Some(Finish::Length));
    assert_eq!(
        reply.extra.raw("system_fingerprint"),
        Some("\"vllm-0.32.0-f066706a\"")
    );
    assert!(reply.usage_extra.raw("completion_tokens_details").is_some());
    assert_debug_snapshot!("vllm_reply", reply);
}

#[test]
fn recorded_requests() {
    for capture in [
        capture!("vllm/chat.txt"),
        capture!("vllm/chat_tool_required.txt"),
    ] {
        let request = decode_request(request_body(capture).as_bytes()).expect("a recorded request");
        let again = decode_request(&encode_request(&request)).expect("our own");
        assert_eq!(again, request);
    }
}

#[test]
fn a_full_request_keeps_what_it_does_not_know() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"x":1}},"b",{"type":"image_url","image_url":{"url":"data:"}}],"name":"n"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"ok"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},{"type":"web_search","x":1}],"stop":"END","max_completion_tokens":9,"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},"logit_bias":{"7":1.50},"top_k":1e2}"#;
    let request = decode_request(body.as_bytes()).expect("valid");
    let Prompt::Messages(messages) = &request.prompt else {
        panic!("chat")
    };
    let Some(Content::Parts(parts)) = &messages[0].content else {
        panic!("parts")
    };
    assert!(matches!(&parts[1], Part::Text { text, .. } if text == "b"));
    assert!(matches!(&request.tools[1], Tool::Other(fields) if fields.raw("x") == Some("1")));
    assert_eq!(
        (request.stops.as_slice(), request.sampling.max_tokens),
        (&["END".to_owned()][..], Some(9))
    );
    assert_eq!(request.extra.raw("logit_bias"), Some(r#"{"7":1.50}"#));
    assert_eq!(request.extra.raw("top_k"), Some("1e2"));
    let again = decode_request(&encode_request(&request)).expect("our own");
    assert_eq!(again, request);
}

#[test]
fn errors_name_the_member() {
    for (body, path) in [
        (r#"{"messages":[]}"#, "model"),
        (
            r#"{"model":"m","messages":[{"content":"x"}]}"#,
            "messages[0].role",
        ),
        (
            r#"{"model":"m","messages":[{"role":"a","tool_calls":[{"id":"1"}]}]}"#,
            "messages[0].tool_calls[0].function",
        ),
        (
            r#"{"model":"m","messages":[],"temperature":"x"}"#,
            "temperature",
        ),
    ] {
        assert_eq!(
            decode_request(body.as_bytes()).expect_err(body).path(),
            Some(path)
        );
    }
    assert!(
        decode_request(b"[]")
            .expect_err("no object")
            .path()
            .is_none()
    );
}

#[test]
fn error_events_and_the_end() {
    let error =
        decode_chunk(r#"{"error": {"message": "boom", "code": 503}}"#).expect("an error event");
    assert!(
        matches!(&error, StreamEvent::Error(api) if api.status == 503 && api.message == "boom")
    );
    assert_eq!(decode_chunk("[DONE]").expect("the end"), StreamEvent::Done);
    assert_eq!(encode_chunk(&StreamEvent::Done), "[DONE]");
}

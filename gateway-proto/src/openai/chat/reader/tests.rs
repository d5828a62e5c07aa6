use insta::assert_debug_snapshot;

use super::*;
use crate::ir::{Answer, Finish, Head, StopCause};
use crate::openai::chat::read_answer;
use crate::openai::testing::{events, reply_body};

macro_rules! capture {
    ($path:literal) => {
        include_str!(concat!("../../../../testdata/", $path))
    };
}

fn read(data: &[impl AsRef<str>]) -> (Vec<Event>, Progress) {
    let (mut reader, mut out, mut progress) = (ChunkReader::new(), Vec::new(), Progress::Open);
    for data in data {
        progress = reader.read(data.as_ref(), &mut out);
    }
    (out, progress)
}

fn gathered(events: Vec<Event>) -> Answer {
    let mut answer = Answer::new(Head::default());
    for event in events {
        answer.push(event).expect("no failure");
    }
    answer
}

/// A chunk with this delta for choice 0.
fn delta(delta: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#)
}

fn calls(deltas: &[&str]) -> Vec<(String, String, String)> {
    let mut data: Vec<String> = deltas.iter().map(|raw| delta(raw)).collect();
    data.push("[DONE]".to_owned());
    let answer = gathered(read(&data).0);
    let calls = answer.choices[0].calls();
    calls
        .map(|call| (call.id.clone(), call.name.clone(), call.arguments.clone()))
        .collect()
}

fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
    (id.to_owned(), name.to_owned(), arguments.to_owned())
}

#[test]
fn recorded_streams() {
    let recorded = |capture: &str| {
        let (events, progress) = read(&events(capture));
        assert_eq!(progress, Progress::Done);
        gathered(events)
    };
    assert_debug_snapshot!("vllm", recorded(capture!("vllm/chat_stream.txt")));
    assert_debug_snapshot!(
        "vllm_tool",
        recorded(capture!("vllm/chat_tool_named_stream.txt"))
    );
    assert_debug_snapshot!(
        "sglang_thinking",
        recorded(capture!("sglang/chat_stream_thinking.txt"))
    );
    let llamacpp = recorded(capture!("llamacpp/chat_stream.txt"));
    assert!(!llamacpp.choices[0].text().is_empty() && llamacpp.choices[0].finish.is_some());
}

#[test]
fn recorded_answers() {
    let recorded = |capture| read_answer(reply_body(capture).as_bytes()).expect("an answer");
    assert_debug_snapshot!("vllm_whole", recorded(capture!("vllm/chat.txt")));
    let cut = recorded(capture!("vllm/chat_tool_required.txt"));
    assert_eq!(cut.choices[0].finish, Some(Finish::Length));
    assert!(cut.choices[0].text().starts_with("<tool_call>"));
    let silent = recorded(capture!("sglang/chat_tool_required.txt"));
    assert!(silent.choices[0].blocks.is_empty());
    for capture in [capture!("llamacpp/chat.txt"), capture!("sglang/chat.txt")] {
        assert!(!recorded(capture).choices[0].text().is_empty());
    }
}

#[test]
fn calls_come_out_one_after_the_other() {
    for (deltas, expected) in [
        // The name late, the id never.
        (
            &[
                r#"{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}"#,
                r#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"}"}}]}"#,
            ][..],
            vec![call("call_0_0", "f", "{}")],
        ),
        // No numbers: a new id is a new call.
        (
            &[
                r#"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"1"}},{"id":"b","function":{"name":"g"}}]}"#,
                r#"{"tool_calls":[{"function":{"arguments":"2"}}]}"#,
            ],
            vec![call("a", "f", "1"), call("b", "g", "2")],
        ),
        // One id twice, and the name again with each piece.
        (
            &[
                r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"1"}}]}"#,
                r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"2"}}]}"#,
                r#"{"tool_calls":[{"index":1,"id":"a","function":{"name":"f","arguments":""}}]}"#,
            ],
            vec![call("a", "f", "12"), call("call_0_1", "f", "")],
        ),
    ] {
        assert_eq!(calls(deltas), expected);
    }
}

#[test]
fn arguments_without_a_name_are_not_lost() {
    let data = [
        delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}"#),
        "[DONE]".to_owned(),
    ];
    assert_eq!(gathered(read(&data).0).choices[0].text(), r#"{"a":1}"#);
}

#[test]
fn text_ends_a_call_and_empty_pieces_say_nothing() {
    let data = [
        delta(r#"{"role":"assistant","content":"","reasoning":"r","reasoning_content":"r"}"#),
        delta(r#"{"content":null,"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#),
        delta(r#"{"content":"x"}"#),
        r#"{"choices":[{"delta":{},"finish_reason":"stop","stop_reason":null,"matched_stop":7}]}"#.to_owned(),
        r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":null,"completion_tokens_details":{"reasoning_tokens":1}}}"#.to_owned(),
    ];
    assert_debug_snapshot!("mixed", read(&data).0);
}

#[test]
fn failures_end_the_stream() {
    let open = delta(
        r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}},{"index":1,"id":"b","function":{"name":"g"}}]}"#,
    );
    for (data, status) in [
        (r#"{"error":{"message":"boom","code":503}}"#, 503),
        (r#"{"object":"error","message":"boom"}"#, 502),
        ("not json", 502),
        (r#"{"choices":[{"index":5000,"delta":{}}]}"#, 502),
        (r#"{"choices":[{"delta":{"content":7}}]}"#, 502),
        (
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"late"}}]}}]}"#,
            502,
        ),
    ] {
        let (events, progress) = read(&[open.as_str(), data, "[DONE]"]);
        assert_eq!(progress, Progress::Failed, "{data}");
        let Some(Event::Failed(error)) = events.last() else {
            panic!("{data}: {events:?}")
        };
        assert_eq!(error.status, status, "{data}");
    }
}

#[test]
fn what_is_no_answer_is_an_error() {
    for (body, status) in [
        (r#"{"error":{"message":"boom","code":503}}"#, 503),
        (r#"{"object":"error","message":"boom","code":400}"#, 400),
        ("[]", 502),
        ("", 502),
        (r#"{"choices":[{"message":7}]}"#, 502),
    ] {
        let error = read_answer(body.as_bytes()).expect_err(body);
        assert_eq!(error.status, status, "{body}");
    }
}

#[test]
fn the_stop_is_read_from_either_engine() {
    for (member, expected) in [
        (r#""stop_reason":"END""#, StopCause::Text("END".to_owned())),
        (r#""stop_reason":9"#, StopCause::Token(9)),
        (r#""matched_stop":9"#, StopCause::Token(9)),
    ] {
        let body = format!(
            r#"{{"choices":[{{"message":{{"role":"assistant","content":"x"}},"finish_reason":"stop",{member}}}]}}"#
        );
        let answer = read_answer(body.as_bytes()).expect("an answer");
        assert_eq!(answer.choices[0].stop, Some(expected));
        assert!(answer.choices[0].extra.is_empty());
    }
}

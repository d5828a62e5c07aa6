use bytes::Bytes;
use proptest::prelude::*;

use super::transcripts;
use crate::error::FaultShape;
use crate::ir::Usage;
use crate::sse::{Limits, Relay, Terminal};

const CONTENT: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n";
const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const DONE: &str = "data: [DONE]\n\n";

/// What came of a stream: the bytes forwarded, the end, and where the first content was.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) forwarded: Vec<u8>,
    pub(super) terminal: Option<Terminal>,
    pub(super) content: bool,
    pub(super) finished: bool,
    pub(super) usage: Option<Usage>,
}

pub(super) fn run(chunks: &[&[u8]], limits: Limits) -> Outcome {
    let mut relay = Relay::new(limits);
    let (mut forwarded, mut terminal, mut firsts) = (Vec::new(), None, 0);
    let mut take = |step: crate::sse::RelayStep| {
        forwarded.extend_from_slice(&step.forward);
        firsts += usize::from(step.first_content);
        if step.terminal.is_some() {
            assert!(terminal.is_none(), "the end is told once");
            terminal = step.terminal;
        }
    };
    for chunk in chunks {
        take(relay.push(Bytes::copy_from_slice(chunk)));
    }
    take(relay.finish());
    assert!(firsts <= 1);
    assert_eq!(relay.has_content(), firsts == 1);
    Outcome {
        forwarded,
        terminal,
        content: firsts == 1,
        finished: relay.is_finished(),
        usage: relay.usage(),
    }
}

fn whole(text: &str) -> Outcome {
    run(&[text.as_bytes()], Limits::default())
}

fn forwarded(outcome: &Outcome) -> &str {
    std::str::from_utf8(&outcome.forwarded).expect("the tests stream text")
}

#[test]
fn a_whole_chunk_is_not_copied() {
    let mut relay = Relay::new(Limits::default());
    let chunk = Bytes::from(format!("{ROLE}{CONTENT}"));
    let step = relay.push(chunk.clone());
    assert_eq!(step.forward.as_ptr(), chunk.as_ptr());
    assert_eq!(step.forward.len(), chunk.len());
    assert!(step.first_content && step.terminal.is_none());
}

#[test]
fn the_tail_of_a_chunk_waits() {
    let mut relay = Relay::new(Limits::default());
    assert_eq!(
        relay
            .push(Bytes::from_static(b"data: 1\n\ndata: 2\n"))
            .forward,
        "data: 1\n\n"
    );
    assert_eq!(relay.push(Bytes::from_static(b"\n")).forward, "data: 2\n\n");
}

#[test]
fn recorded_streams_pass_unchanged_in_every_split() {
    for text in transcripts() {
        let expected = whole(text);
        assert_eq!(forwarded(&expected), text);
        assert_eq!(expected.terminal, Some(Terminal::Done));
        assert!(expected.content && expected.finished);
        for at in 0..=text.len() {
            let (a, b) = text.as_bytes().split_at(at);
            assert_eq!(run(&[a, b], Limits::default()), expected, "split at {at}");
        }
    }
}

#[test]
fn usage_is_read_from_the_recordings() {
    let usages: Vec<Option<Usage>> = transcripts()
        .into_iter()
        .map(|text| whole(text).usage)
        .collect();
    let usage = |prompt_tokens, completion_tokens, cached_tokens| {
        Some(Usage {
            prompt_tokens,
            completion_tokens,
            cached_tokens,
            reasoning_tokens: None,
        })
    };
    assert_eq!(usages[0], usage(28, 8, Some(0)));
    assert_eq!(usages[1], None);
    assert_eq!(usages[2], usage(4, 5, Some(0)));
    assert_eq!(usages[4], usage(28, 6, Some(16)));
    assert_eq!(usages[7], usage(4, 4, Some(0)));
    assert_eq!(usages[8], usage(4, 4, Some(0)));
}

#[test]
fn an_error_event_ends_the_stream_before_it() {
    let error = r#"{"error": {"message": "EngineCore encountered an issue. See stack trace (above) for the root cause.", "type": "InternalServerError", "param": null, "code": 500}}"#;
    let outcome = whole(&format!("{CONTENT}data: {error}\n\n{DONE}"));
    assert_eq!(forwarded(&outcome), CONTENT);
    let Some(Terminal::EngineError(fault)) = outcome.terminal else {
        panic!("{outcome:?}")
    };
    assert_eq!((fault.shape, fault.error.status), (FaultShape::Nested, 500));
}

#[test]
fn every_error_shape_is_seen() {
    for error in [
        r#"{"object":"error","message":"x","code":500}"#,
        r#"{"error":"Incomplete generation","error_type":"incomplete_generation"}"#,
        r#"{"type" : "error","error":{"message":"x"}}"#,
        r#"{"id":"1","error" : {"message":"x"},"choices":[{"finish_reason":"error"}]}"#,
    ] {
        let outcome = whole(&format!("{CONTENT}data:{error}\r\n\r\n{DONE}"));
        assert!(
            matches!(outcome.terminal, Some(Terminal::EngineError(_))),
            "{error}: {outcome:?}"
        );
        assert_eq!(forwarded(&outcome), CONTENT);
    }
}

#[test]
fn a_polite_abort_is_not_forwarded() {
    for reason in [
        r#""finish_reason":"abort""#,
        r#""finish_reason" : "error""#,
        r#""finish_reason":{"type":"abort"}"#,
    ] {
        let outcome = whole(&format!(
            "{CONTENT}data: {{\"choices\":[{{\"text\":\"\",{reason}}}]}}\n\n{DONE}"
        ));
        assert_eq!(outcome.terminal, Some(Terminal::Aborted), "{reason}");
        assert_eq!(forwarded(&outcome), CONTENT);
        assert!(!outcome.finished);
    }
}

#[test]
fn marks_within_content_are_content() {
    for text in [
        r#"\"finish_reason\":\"abort\""#,
        r#"{\"error\": {\"message\": 1}}"#,
        "[DONE]",
        r"\n\ndata: [DONE]\n\n",
        "error",
        r#"\"usage\":{\"prompt_tokens\":9}"#,
        r#"x \"finish_reason"#,
    ] {
        let event = format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}},\"error\":null}}]}}\n\n"
        );
        let stream = format!("{event}{CONTENT}{DONE}");
        let outcome = whole(&stream);
        assert_eq!(outcome.terminal, Some(Terminal::Done), "{text}");
        assert_eq!(
            (forwarded(&outcome), outcome.usage),
            (stream.as_str(), None),
            "{text}"
        );
    }
}

#[test]
fn a_nested_error_member_is_no_error_event() {
    let event =
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\",\"x\":{\"error\":{\"y\":1}}}}]}\n\n";
    assert_eq!(
        whole(&format!("{event}{DONE}")).terminal,
        Some(Terminal::Done)
    );
}

#[test]
fn many_false_alarms_cost_one_look_per_event() {
    let event = format!("data: {{\"x\":[{}0]}}\n\n", "{\"error\":1},".repeat(60_000));
    assert_eq!(
        whole(&format!("{}{DONE}", event.repeat(3))).terminal,
        Some(Terminal::Done)
    );
}

#[test]
fn nothing_follows_done() {
    let outcome = whole(&format!("{CONTENT}{DONE}{CONTENT}"));
    assert_eq!(forwarded(&outcome), format!("{CONTENT}{DONE}"));
}

#[test]
fn a_stream_cut_off_is_told_from_one_that_stopped() {
    let inside = whole(&format!("{CONTENT}data: {{\"id"));
    assert_eq!(
        inside.terminal,
        Some(Terminal::Truncated { inside_event: true })
    );
    assert_eq!(forwarded(&inside), CONTENT);
    assert_eq!(
        whole(CONTENT).terminal,
        Some(Terminal::Truncated {
            inside_event: false
        })
    );
    let no_blank_line = whole(&format!("{CONTENT}data: [DONE]\n"));
    assert_eq!(no_blank_line.terminal, Some(Terminal::Done));
    assert!(forwarded(&no_blank_line).ends_with("}\n\ndata: [DONE]\n\n"));
}

#[test]
fn events_past_the_limit_end_the_stream() {
    let limits = Limits { event_bytes: 40 };
    let long = format!("data: 1\n\ndata: {}\n\ndata: 3\n\n", "x".repeat(60));
    for size in [1, 7, 1000] {
        let chunks: Vec<&[u8]> = long.as_bytes().chunks(size).collect();
        let outcome = run(&chunks, limits);
        assert_eq!(
            outcome.terminal,
            Some(Terminal::Oversized { limit_bytes: 40 }),
            "chunks of {size}"
        );
        assert_eq!(forwarded(&outcome), "data: 1\n\n");
    }
}

#[test]
fn roles_and_signs_of_life_are_no_content() {
    assert!(!whole(&format!(": keep-alive\n\n{ROLE}{DONE}")).content);
    let call =
        "data: {\"choices\":[{\"delta\":{\"content\":null,\"tool_calls\":[{\"index\":0}]}}]}\n\n";
    assert!(whole(call).content);
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(CONTENT.to_owned()),
        Just(ROLE.to_owned()),
        Just(CONTENT.replace('\n', "\r\n")),
        Just(CONTENT.replace('\n', "\r")),
        Just(": ping\n\n".to_owned()),
        Just(
            "event: x\r\ndata: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\r\n\r\n"
                .to_owned()
        ),
        Just("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_owned()),
        Just("data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"x\"}}}\n\n".to_owned()),
        Just("data: {\"type\":\"x\",\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":1}}\n\n".to_owned()),
        Just(CONTENT.replace("null", "\"stop\"")),
        Just(CONTENT.replace("null", "\"abort\"")),
        Just("data: {\"error\":{\"message\":\"x\"}}\n\n".to_owned()),
        Just(DONE.to_owned()),
        "[\\x20-\\x7e\\n\\r]{0,30}",
    ]
}

proptest! {
    #[test]
    fn any_stream_in_any_split(pieces in proptest::collection::vec(piece(), 0..8), size in 1usize..50, limit in 60usize..400) {
        let stream = pieces.concat();
        let limits = Limits { event_bytes: limit };
        let chunks: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
        let (split, joined) = (run(&chunks, limits), run(&[stream.as_bytes()], limits));
        prop_assert_eq!(&split, &joined);
        let kept = joined.forwarded.len().min(stream.len());
        prop_assert_eq!(&joined.forwarded[..kept], &stream.as_bytes()[..kept]);
    }
}

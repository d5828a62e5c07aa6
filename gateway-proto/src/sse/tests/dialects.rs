//! Streams of Messages and Responses, passed through.

use super::relay::{Outcome, run};
use crate::ir::Usage;
use crate::sse::{Limits, Terminal};

/// A message as Anthropic streams it: thinking, text, a tool call.
const MESSAGE: &str = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"usage":{"input_tokens":20,"cache_creation_input_tokens":0,"cache_read_input_tokens":8,"output_tokens":1}}}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"type\":\"message_stop\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

"#;

/// A response, without most members of its snapshots.
const RESPONSE: &str = r#"event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"object":"response","status":"in_progress","error":null,"output":[],"text":{"format":{"type":"text"}},"usage":null}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"i","delta":"hi"}

event: response.completed
data: {"type":"response.completed","sequence_number":2,"response":{"object":"response","status":"completed","error":null,"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":4},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":1}}}}

"#;

fn relayed(text: &str) -> Outcome {
    run(&[text.as_bytes()], Limits::default())
}

fn counted(prompt: u64, completion: u64, cached: u64, reasoning: Option<u64>) -> Usage {
    Usage {
        prompt_tokens: prompt,
        completion_tokens: completion,
        cached_tokens: Some(cached),
        reasoning_tokens: reasoning,
    }
}

#[test]
fn messages_and_responses_pass_unchanged_in_every_split() {
    for (text, usage) in [
        (MESSAGE, counted(28, 9, 8, None)),
        (RESPONSE, counted(7, 2, 4, Some(1))),
    ] {
        let expected = relayed(text);
        assert_eq!(expected.forwarded, text.as_bytes());
        assert_eq!(expected.terminal, Some(Terminal::Done));
        assert!(expected.content);
        assert_eq!(expected.usage, Some(usage));
        for at in 0..=text.len() {
            let (a, b) = text.as_bytes().split_at(at);
            assert_eq!(run(&[a, b], Limits::default()), expected, "split at {at}");
        }
    }
}

#[test]
fn what_opens_them_is_no_content() {
    for (text, opening) in [(MESSAGE, 3), (RESPONSE, 1)] {
        let events: Vec<&str> = text.split_inclusive("\n\n").collect();
        assert!(!relayed(&events[..opening].concat()).content);
        assert!(relayed(&events[..=opening].concat()).content);
    }
}

#[test]
fn nothing_follows_their_end() {
    for text in [MESSAGE, RESPONSE] {
        let outcome = relayed(&format!("{text}data: [DONE]\n\n"));
        assert_eq!(outcome.forwarded, text.as_bytes());
        let unfinished = relayed(text.trim_end());
        assert_eq!(unfinished.terminal, Some(Terminal::Done));
        let cut = relayed(&text.trim_end()[..text.trim_end().len() - 1]);
        assert_eq!(
            cut.terminal,
            Some(Terminal::Truncated { inside_event: true })
        );
    }
}

#[test]
fn their_failures_are_errors_and_are_not_forwarded() {
    let overloaded = r#"event: error
data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}

"#;
    let failed = r#"event: response.failed
data: {"type":"response.failed","response":{"object":"response","status":"failed","error":{"code":"server_error","message":"It broke"}}}

"#;
    let flat = r#"event: error
data: {"type":"error","code":"server_error","message":"It broke","sequence_number":1}

"#;
    for (text, error, message) in [
        (MESSAGE, overloaded, "Overloaded"),
        (RESPONSE, failed, "It broke"),
        (RESPONSE, flat, "It broke"),
    ] {
        let first = text.split_inclusive("\n\n").next().expect("an event");
        let outcome = relayed(&format!("{first}{error}"));
        assert_eq!(outcome.forwarded, first.as_bytes());
        let Some(Terminal::EngineError(fault)) = outcome.terminal else {
            panic!("{outcome:?}");
        };
        assert_eq!(fault.error.message, message);
    }
}

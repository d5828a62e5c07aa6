use super::messages;
use crate::anthropic::{decode_count, decode_request};
use crate::ir::{Content, Format, Message, Part, Request, Tool, ToolChoice};
use crate::openai::chat;

const AGENT: &[u8] = include_bytes!("../../../testdata/anthropic/agent.json");
const MEDIA: &[u8] = include_bytes!("../../../testdata/anthropic/media.json");

fn said(message: &Message) -> &str {
    match &message.content {
        Some(Content::Text(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn parts(message: &Message) -> &[Part] {
    match &message.content {
        Some(Content::Parts(parts)) => parts,
        other => panic!("{other:?}"),
    }
}

#[test]
fn turns_of_an_agent() {
    let turns = messages(AGENT);
    let roles: Vec<&str> = turns.iter().map(|turn| turn.role.as_str()).collect();
    assert_eq!(
        roles,
        [
            "system",
            "user",
            "assistant",
            "tool",
            "tool",
            "user",
            "system",
            "user"
        ]
    );
    assert_eq!(
        said(&turns[0]),
        "You are a coding agent.\nWork in the current folder."
    );
    assert!(
        matches!(&parts(&turns[1])[1], Part::Text { text, extra } if text == "Create hello.txt" && extra.is_empty())
    );
    assert_eq!(said(&turns[5]), "Go on.");
    assert_eq!(said(&turns[6]), "The user opened another file.");
}

#[test]
fn thinking_calls_and_results() {
    let turns = messages(AGENT);
    let assistant = &turns[2];
    assert_eq!(
        assistant.reasoning.as_deref(),
        Some("Write it with the shell.")
    );
    assert_eq!(
        assistant.extra.raw("thinking_signatures"),
        Some(r#"["ZwEabc="]"#)
    );
    assert_eq!(said(assistant), "I will write it.");
    assert_eq!(assistant.tool_calls[0].name, "Bash");
    assert_eq!(
        assistant.tool_calls[1].arguments,
        r#"{"command": "ls  -l", "timeout": 1.50}"#
    );
    assert_eq!(
        assistant.tool_calls[1].extra.raw("caller"),
        Some(r#"{"type": "direct"}"#)
    );

    let (empty, failed) = (&turns[3], &turns[4]);
    assert_eq!(
        (said(empty), empty.tool_call_id.as_deref()),
        ("", Some("toolu_1"))
    );
    assert_eq!(failed.extra.raw("is_error"), Some("true"));
    assert!(
        matches!(&parts(failed)[1], Part::Other(image) if image.raw("image_url") == Some(r#"{"url":"data:image/png;base64,iVBORw0KGgo="}"#))
    );
}

#[test]
fn options_of_an_agent() {
    let request = decode_request(AGENT).expect("valid");
    assert!(request.stream && request.include_usage);
    assert_eq!(request.sampling.max_tokens, Some(32_000));
    assert_eq!(request.sampling.temperature, Some(1.0));
    assert_eq!(request.tool_choice, ToolChoice::Auto);
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.reasoning.effort.as_deref(), Some("high"));
    assert_eq!(request.reasoning.enabled, None);
    assert_eq!(request.extra.raw("user"), Some(r#""user_1_session_2""#));
    assert_eq!(request.extra.raw("new_member"), Some(r#"{"kept": 1.0}"#));
    assert!(request.extra.raw("context_management").is_some());
    assert_eq!(request.tools.len(), 2, "nothing to search for");
    let Tool::Function {
        name,
        definition,
        extra,
    } = &request.tools[1]
    else {
        panic!("a function")
    };
    assert_eq!(
        (name.as_str(), definition.raw("parameters")),
        ("Fetch", Some(r#"{"type": "object"}"#))
    );
    assert_eq!(definition.raw("strict"), Some("true"));
    assert_eq!(extra.raw("defer_loading"), Some("true"));
}

#[test]
fn marks_that_move_leave_no_trace() {
    let marked = String::from_utf8(AGENT.to_vec()).expect("UTF-8");
    let bare = marked
        .replace(r#", "cache_control": {"type": "ephemeral"}"#, "")
        .replace(
            r#", "cache_control": {"type": "ephemeral", "ttl": "1h"}"#,
            "",
        );
    assert!(!bare.contains("cache_control"));
    assert_eq!(
        decode_request(bare.as_bytes()),
        decode_request(marked.as_bytes())
    );
}

#[test]
fn images_and_documents() {
    let turns = messages(MEDIA);
    let shown: Vec<String> = parts(&turns[0])
        .iter()
        .map(|part| match part {
            Part::Text { text, .. } => text.clone(),
            Part::Other(fields) => serde_json::to_string(fields).expect("JSON"),
        })
        .collect();
    insta::assert_json_snapshot!(shown);
    assert!(
        decode_request(MEDIA)
            .expect("valid")
            .extra
            .raw("cache_control")
            .is_none()
    );
}

fn with(members: &str) -> Request {
    let body = format!(
        r#"{{"model":"m","max_tokens":4096,"messages":[{{"role":"user","content":"q"}}],{members}}}"#
    );
    decode_request(body.as_bytes()).expect(members)
}

#[test]
fn choices_formats_and_budgets() {
    assert_eq!(
        with(r#""tool_choice":{"type":"any"}"#).tool_choice,
        ToolChoice::Required
    );
    assert_eq!(
        with(r#""tool_choice":{"type":"none"}"#).tool_choice,
        ToolChoice::None
    );
    assert_eq!(
        with(r#""tool_choice":{"type":"tool","name":"f"}"#).tool_choice,
        ToolChoice::Named("f".into())
    );
    let thinking = with(r#""thinking":{"type":"enabled","budget_tokens":2048}"#).reasoning;
    assert_eq!(
        (thinking.enabled, thinking.budget_tokens),
        (Some(true), Some(2048))
    );
    assert_eq!(
        with(r#""thinking":{"type":"disabled"}"#).reasoning.enabled,
        Some(false)
    );
    for members in [
        r#""output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}}"#,
        r#""output_format":{"type":"json_schema","schema":{"type":"object"}}"#,
    ] {
        let Format::JsonSchema { schema, strict, .. } = with(members).format else {
            panic!("{members}")
        };
        assert_eq!((schema.as_str(), strict), (r#"{"type":"object"}"#, true));
    }
    let rest = with(
        r#""output_config":{"task_budget":{"total":9}},"mcp_servers":[],"top_k":0,"stop_sequences":["a","b"]"#,
    );
    assert_eq!(
        rest.extra.raw("output_config"),
        Some(r#"{"task_budget":{"total":9}}"#)
    );
    assert_eq!(
        (rest.sampling.top_k, rest.stops.as_slice()),
        (Some(0), &["a".to_owned(), "b".to_owned()][..])
    );
}

#[test]
fn a_closing_assistant_message_is_continued() {
    let body = |last: &str| {
        format!(
            r#"{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"q"}},{last}]}}"#
        )
    };
    let begun = body(r#"{"role":"assistant","content":"The answer ("}"#);
    let request = decode_request(begun.as_bytes()).expect("valid");
    assert!(request.template.continue_final_message);
    assert_eq!(request.template.add_generation_prompt, Some(false));

    let silent = body(r#"{"role":"assistant","content":[]}"#);
    let request = decode_request(silent.as_bytes()).expect("valid");
    assert!(!request.template.continue_final_message);
    assert_eq!(messages(silent.as_bytes()).len(), 1);
}

#[test]
fn messages_of_one_speaker_are_one_turn() {
    let body = br#"{"model":"m","max_tokens":9,"messages":[
        {"role":"user","content":"a"},
        {"role":"user","content":"b"},
        {"role":"assistant","content":"c"},
        {"role":"assistant","content":[{"type":"text","text":"d"},{"type":"tool_use","id":"t","name":"f","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"e"}]},
        {"role":"user","content":"g"}
    ]}"#;
    let turns = messages(body);
    let roles: Vec<&str> = turns.iter().map(|turn| turn.role.as_str()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "user"]);
    assert_eq!(parts(&turns[0]).len(), 2);
    assert_eq!(said(&turns[1]), "c\nd");
    assert_eq!(turns[1].tool_calls.len(), 1);
    assert_eq!(said(&turns[3]), "g");
}

#[test]
fn counting_needs_no_limit() {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"q"}]}"#;
    assert_eq!(decode_count(body).expect("valid").sampling.max_tokens, None);
    assert!(decode_request(body).is_err());
}

/// The neutral form is one that an engine's own chat route can be asked with.
#[test]
fn the_neutral_form_can_be_written_as_chat() {
    for body in [AGENT, MEDIA] {
        let request = decode_request(body).expect("valid");
        let chat = chat::decode_request(&chat::encode_request(&request)).expect("a chat request");
        assert_eq!(chat.prompt, request.prompt);
        assert_eq!(chat.tools, request.tools);
    }
}

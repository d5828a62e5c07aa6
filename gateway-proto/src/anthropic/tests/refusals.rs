use crate::anthropic::decode_request;
use crate::error::ApiError;

fn refused(body: &str) -> (Option<String>, String) {
    let fault = decode_request(body.as_bytes()).expect_err(body);
    assert_eq!(ApiError::from(fault.clone()).status, 400);
    (fault.path, fault.message)
}

/// The path at fault in a request that is right but for `members`.
fn path_of(members: &str) -> String {
    let body = format!(
        r#"{{"model":"m","max_tokens":4096,"messages":[{{"role":"user","content":"q"}}],{members}}}"#
    );
    refused(&body).0.expect(members)
}

/// The path at fault in a conversation.
fn path_in(messages: &str) -> String {
    let body = format!(r#"{{"model":"m","max_tokens":9,"messages":[{messages}]}}"#);
    refused(&body).0.expect(messages)
}

#[test]
fn members_of_the_body() {
    for (members, path) in [
        (r#""max_tokens":0"#, "max_tokens"),
        (r#""max_tokens":"9""#, "max_tokens"),
        (r#""max_tokens":1.5"#, "max_tokens"),
        (r#""max_tokens":-1"#, "max_tokens"),
        (r#""model":"""#, "model"),
        (r#""model":"\ud800""#, "model"),
        (r#""temperature":1.1"#, "temperature"),
        (r#""temperature":"hot""#, "temperature"),
        (r#""top_p":-0.1"#, "top_p"),
        (r#""top_k":-1"#, "top_k"),
        (r#""top_k":18446744073709551615"#, "top_k"),
        (r#""stream":1"#, "stream"),
        (r#""stop_sequences":"a""#, "stop_sequences"),
        (r#""stop_sequences":["a",""]"#, "stop_sequences.1"),
        (r#""metadata":{"user_id":7}"#, "metadata.user_id"),
        (r#""system":[{"type":"image"}]"#, "system.0"),
        (r#""system":[{"type":"text"}]"#, "system.0.text"),
        (r#""messages":[]"#, "messages"),
        (r#""messages":{}"#, "messages"),
        (r#""mcp_servers":[{"url":"x"}]"#, "mcp_servers"),
        (r#""thinking":{"type":"enabled"}"#, "thinking.budget_tokens"),
        (
            r#""thinking":{"type":"enabled","budget_tokens":1023}"#,
            "thinking.budget_tokens",
        ),
        (
            r#""thinking":{"type":"enabled","budget_tokens":4096}"#,
            "thinking.budget_tokens",
        ),
        (r#""thinking":{"type":"sometimes"}"#, "thinking"),
        (
            r#""output_config":{"format":{"type":"xml"}}"#,
            "output_config.format",
        ),
        (
            r#""output_config":{"format":{"type":"json_schema","schema":[]}}"#,
            "output_config.format.schema",
        ),
    ] {
        assert_eq!(path_of(members), path, "{members}");
    }
}

#[test]
fn tools() {
    for (members, path) in [
        (r#""tools":[{"name":"f"}]"#, "tools.0.input_schema"),
        (
            r#""tools":[{"name":"f","input_schema":"{}"}]"#,
            "tools.0.input_schema",
        ),
        (r#""tools":[{"input_schema":{}}]"#, "tools.0.name"),
        (
            r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#,
            "tools.0.type",
        ),
        (r#""tool_choice":"auto""#, "tool_choice"),
        (r#""tool_choice":{"type":"tool"}"#, "tool_choice.name"),
        (r#""tool_choice":{"type":"some"}"#, "tool_choice"),
    ] {
        assert_eq!(path_of(members), path, "{members}");
    }
}

#[test]
fn turns_and_blocks() {
    let called =
        r#"{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]}"#;
    for (messages, path) in [
        (r#""hi""#, "messages.0"),
        (r#"{"content":"q"}"#, "messages.0.role"),
        (r#"{"role":"user"}"#, "messages.0.content"),
        (r#"{"role":"robot","content":"q"}"#, "messages.0.role"),
        (r#"{"role":"user","content":""}"#, "messages.0.content"),
        (r#"{"role":"user","content":[]}"#, "messages.0.content"),
        (r#"{"role":"user","content":[7]}"#, "messages.0.content.0"),
        (
            r#"{"role":"user","content":[{"text":"q"}]}"#,
            "messages.0.content.0.type",
        ),
        (
            r#"{"role":"user","content":[{"type":"hologram"}]}"#,
            "messages.0.content.0",
        ),
        (
            r#"{"role":"user","content":[{"type":"tool_result","tool_use_id":"t"}]}"#,
            "messages.0.content.0.tool_use_id",
        ),
        (
            r#"{"role":"user","content":[{"type":"image","source":{"type":"tape"}}]}"#,
            "messages.0.content.0.source",
        ),
        (
            r#"{"role":"user","content":[{"type":"search_result","title":"t","source":"s","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"url","url":"u"}}]}]}"#,
            "messages.0.content.0.content.1",
        ),
        (
            r#"{"role":"assistant","content":[{"type":"server_tool_use","id":"s"}]}"#,
            "messages.0.content.0",
        ),
        (
            r#"{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":"{}"}]}"#,
            "messages.0.content.0.input",
        ),
        (called, "messages.0"),
    ] {
        assert_eq!(path_in(messages), path, "{messages}");
    }
    let nested = format!(
        r#"{called},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t","content":[{{"type":"text","text":1}}]}}]}}"#
    );
    assert_eq!(path_in(&nested), "messages.1.content.0.content.0.text");
}

#[test]
fn bodies() {
    assert_eq!(refused("[]").0, None);
    assert!(refused(r#"{"model":"#).1.contains("line 1"));
    assert_eq!(refused("{}").0.as_deref(), Some("max_tokens"));
    let deep = format!(
        r#"{{"model":"m","max_tokens":1,"x":{}1{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    assert!(refused(&deep).1.contains("nested deeper"));
}

#[test]
fn brackets_within_strings_are_no_depth() {
    let quoted = r#"\\\"[{"#.repeat(200);
    let body = format!(
        r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"user","content":"{quoted}"}}]}}"#
    );
    assert!(decode_request(body.as_bytes()).is_ok());
}

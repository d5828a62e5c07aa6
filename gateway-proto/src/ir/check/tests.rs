use super::*;
use crate::error::ApiError;
use crate::ir::{Content, Fields, Message, Part, Prompt, Tool};
use crate::openai::{chat, completions};

/// What a chat body with these members is refused for.
fn fault(members: &str) -> Option<CheckError> {
    let messages = if members.contains("\"messages\"") {
        String::new()
    } else {
        r#""messages":[{"role":"user","content":"x"}],"#.to_owned()
    };
    let body = format!(r#"{{"model":"m",{messages}{members}}}"#);
    let request = chat::decode_request(body.as_bytes()).expect(members);
    check(
        &request,
        &Limits {
            vocab: Some(100),
            ..Limits::default()
        },
    )
    .err()
}

fn tool(name: &str, parameters: &str) -> String {
    format!(
        r#""tools":[{{"type":"function","function":{{"name":"{name}","parameters":{parameters}}}}}]"#
    )
}

#[test]
fn good_requests_pass() {
    let called =
        r#"{"role":"assistant","content":null,"tool_calls":[{"id":"a","function":{"name":"f"}}]}"#;
    for members in [
        r#""temperature":0,"top_p":1,"n":2,"stop":["a"],"logit_bias":{"99":-100},"top_k":-1"#.to_owned(),
        format!(r#""messages":[{{"role":"user","content":"x"}},{called},{{"role":"tool","tool_call_id":"a","content":"1"}},{called},{{"role":"tool","tool_call_id":"a","content":"2"}}]"#),
        format!(r#"{},"tool_choice":{{"type":"function","function":{{"name":"mcp.x:y/z-1_"}}}}"#, tool("mcp.x:y/z-1_", "{}")),
        r#""tools":[{"function":{"name":"f"}}],"tool_choice":"required""#.to_owned(),
        r#""echo":true,"max_tokens":0,"logprobs":true,"top_logprobs":20"#.to_owned(),
        r#""response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"const":"{{[["}}}"#.to_owned(),
    ] {
        assert_eq!(fault(&members), None, "{members}");
    }
}

#[test]
fn broken_conversations_are_refused() {
    let said =
        |messages: &str| fault(&format!(r#""messages":[{messages}]"#)).map(|error| error.path);
    for (messages, path) in [
        ("", "messages"),
        (r#"{"role":"wizard","content":"x"}"#, "messages[0].role"),
        (r#"{"role":"user"}"#, "messages[0].content"),
        (
            r#"{"role":"tool","content":"x"}"#,
            "messages[0].tool_call_id",
        ),
        (
            r#"{"role":"tool","content":"x","tool_call_id":"a"}"#,
            "messages[0].tool_call_id",
        ),
        (
            r#"{"role":"function","name":"f","content":"x"}"#,
            "messages[0].tool_call_id",
        ),
        (
            r#"{"role":"user","content":"x","tool_calls":[{"id":"a","function":{"name":"f"}}]}"#,
            "messages[0].tool_calls",
        ),
        (
            r#"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":""}}]}"#,
            "messages[0].tool_calls[0].function.name",
        ),
        (
            r#"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"a","function":{"name":"f"}}]}"#,
            "messages[0].tool_calls[1].id",
        ),
        (
            r#"{"role":"tool","content":"x","tool_call_id":"a"},{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f"}}]}"#,
            "messages[0].tool_call_id",
        ),
    ] {
        assert_eq!(said(messages).as_deref(), Some(path), "{messages}");
    }
}

#[test]
fn broken_options_are_refused() {
    let deep = format!(
        "{}{}",
        r#"{"a":"#.repeat(70),
        "1".to_owned() + &"}".repeat(70)
    );
    let long = "x".repeat(300_000);
    for (members, path) in [
        (
            r#""tools":[{"type":"custom","custom":{"name":"f"}}],"tool_choice":"required""#
                .to_owned(),
            "tools[0].type",
        ),
        (
            r#""tools":[{"function":{"name":"f"}},{"name":"g"}]"#.to_owned(),
            "tools[1].type",
        ),
        (tool("", "{}"), "tools[0].function.name"),
        (tool("a b", "{}"), "tools[0].function.name"),
        (tool(&"a".repeat(129), "{}"), "tools[0].function.name"),
        (tool("f", &deep), "tools[0].function.parameters"),
        (tool("f", "7"), "tools[0].function.parameters"),
        (
            tool("f", &format!(r#"{{"a":"{long}"}}"#)),
            "tools[0].function.parameters",
        ),
        (
            format!(
                r#"{},"tool_choice":{{"function":{{"name":"g"}}}}"#,
                tool("f", "{}")
            ),
            "tool_choice.function.name",
        ),
        (r#""tool_choice":"required""#.to_owned(), "tool_choice"),
        (
            r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}"#
                .to_owned(),
            "tool_choice.allowed_tools.tools",
        ),
        (
            format!(
                r#"{},"tool_choice":{{"type":"allowed_tools","allowed_tools":{{"mode":"auto","tools":[{}{{"name":"f"}}]}}}}"#,
                tool("f", "{}"),
                r#"{"name":"f"},"#.repeat(1_024)
            ),
            "tool_choice.allowed_tools.tools",
        ),
        (
            format!(r#""guided_json":{deep}"#),
            "response_format.json_schema.schema",
        ),
        (r#""guided_choice":[]"#.to_owned(), "response_format"),
        (r#""guided_regex":"""#.to_owned(), "response_format"),
        (format!(r#""guided_grammar":"{long}""#), "response_format"),
        (r#""n":0"#.to_owned(), "n"),
        (r#""n":129"#.to_owned(), "n"),
        (r#""max_tokens":0"#.to_owned(), "max_tokens"),
        (r#""max_tokens":1,"min_tokens":2"#.to_owned(), "min_tokens"),
        (r#""temperature":-0.1"#.to_owned(), "temperature"),
        (r#""top_p":1.5"#.to_owned(), "top_p"),
        (r#""top_p":0"#.to_owned(), "top_p"),
        (r#""repetition_penalty":0"#.to_owned(), "repetition_penalty"),
        (r#""top_k":-2"#.to_owned(), "top_k"),
        (
            r#""logprobs":true,"top_logprobs":21"#.to_owned(),
            "top_logprobs",
        ),
        (r#""stop":["a",""]"#.to_owned(), "stop[1]"),
        (format!(r#""stop":"{long}""#), "stop[0]"),
        (format!(r#""stop":[{}"a"]"#, r#""a","#.repeat(64)), "stop"),
        (r#""stop_token_ids":[100]"#.to_owned(), "stop_token_ids[0]"),
        (r#""logit_bias":{"100":1}"#.to_owned(), "logit_bias"),
        (r#""logit_bias":{"1":101}"#.to_owned(), "logit_bias"),
    ] {
        let error = fault(&members).unwrap_or_else(|| panic!("{members:.200}"));
        assert_eq!(error.path, path);
        let api = ApiError::from(error);
        assert_eq!((api.status, api.param.as_deref()), (400, Some(path)));
        assert!(api.message.len() < 400 && api.code.is_some());
    }
}

#[test]
fn ranges_are_told_with_their_ends() {
    for (member, told) in [
        (r#""top_p":0"#, "Send a number above 0 and at most 1"),
        (r#""repetition_penalty":0"#, "Send a number above 0"),
        (r#""min_p":2"#, "Send a number from 0 to 1"),
    ] {
        assert_eq!(fault(member).expect(member).what_to_do, told);
    }
}

#[test]
fn ten_thousand_tools_are_too_many() {
    let one = |at| Tool::Function {
        name: format!("f{at}"),
        definition: Fields::new(),
        extra: Fields::new(),
    };
    let mut request = Request {
        prompt: Prompt::Messages(vec![Message {
            role: "user".to_owned(),
            content: Some(Content::Text("x".to_owned())),
            ..Message::default()
        }]),
        tools: (0..10_000).map(one).collect(),
        ..Request::default()
    };
    let error = check(&request, &Limits::default()).expect_err("too many");
    assert_eq!(
        (error.path.as_str(), error.code),
        ("tools", "array_above_max_length")
    );
    assert!(
        error.what.contains("10000") && error.what.contains("1024"),
        "{error}"
    );
    request.tools = vec![one(1), one(1)];
    let error = check(&request, &Limits::default()).expect_err("the same name");
    assert_eq!(error.path, "tools[1].function.name");
    request.tools.clear();
    request.sampling.temperature = Some(f64::NAN);
    let error = check(&request, &Limits::default()).expect_err("no number");
    assert_eq!(error.path, "temperature");
}

#[test]
fn prompts_of_every_form() {
    let limits = Limits {
        vocab: Some(100),
        ..Limits::default()
    };
    for (prompt, path) in [
        (r#""""#, Some("prompt")),
        ("[]", Some("prompt")),
        (r#"["a",""]"#, Some("prompt[1]")),
        ("[99]", None),
        ("[1,100]", Some("prompt[1]")),
        ("[[1],[]]", Some("prompt[1]")),
        ("[[1],[4294967295]]", Some("prompt[1][0]")),
        ("[[1],[2]]", None),
    ] {
        let body = format!(r#"{{"model":"m","prompt":{prompt}}}"#);
        let request = completions::decode_request(body.as_bytes()).expect(prompt);
        let error = check(&request, &limits).err();
        assert_eq!(error.map(|error| error.path).as_deref(), path, "{prompt}");
    }
}

#[test]
fn media_are_found_where_they_are() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":"x"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"u"}},{"type":"input_audio"}]}]}"#;
    let mut request = chat::decode_request(body.as_bytes()).expect("valid");
    let expected = MediaPart {
        path: "messages[1].content[1]".to_owned(),
        kind: "image_url".to_owned(),
    };
    assert_eq!(first_media(&request), Some(expected));
    if let Prompt::Messages(messages) = &mut request.prompt
        && let Some(Content::Parts(parts)) = &mut messages[1].content
    {
        parts.retain(|part| matches!(part, Part::Text { .. }));
    }
    assert_eq!(first_media(&request), None);
}

#[test]
fn depth_counts_brackets_outside_strings() {
    for (json, expected) in [
        ("1", 0),
        ("{}", 1),
        (r#"{"a":[{"b":1}],"c":{}}"#, 3),
        (r#"{"[{\"[":"{{\\"}"#, 1),
    ] {
        assert_eq!(schema::depth(json), expected, "{json}");
    }
}

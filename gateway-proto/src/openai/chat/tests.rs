use super::*;
use crate::ir::{Content, Part, Prompt, Tool};
use crate::openai::testing::request_body;

macro_rules! capture {
    ($path:literal) => {
        include_str!(concat!("../../../testdata/", $path))
    };
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
    let body = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"x":1}},"b",{"type":"image_url","image_url":{"url":"data:"}}],"name":"n"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"ok"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}},{"type":"web_search","x":1}],"stop":"END","max_completion_tokens":9,"stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true},"logit_bias":{"7":1.50},"top_k":100,"best_of":1e2}"#;
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
    assert_eq!(request.sampling.logit_bias, [(7, 1.5)]);
    assert_eq!(request.sampling.top_k, Some(100));
    assert_eq!(request.extra.raw("best_of"), Some("1e2"));
    let again = decode_request(&encode_request(&request)).expect("our own");
    assert_eq!(again, request);
}

/// Reads a chat body with one more member.
fn with(member: &str) -> Result<crate::ir::Request, crate::openai::CodecError> {
    let tool = r#"{"type":"function","function":{"name":"f"}}"#;
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],"tools":[{tool}],{member}}}"#
    );
    decode_request(body.as_bytes())
}

/// The request of a chat body with one more member, which must come through a round trip with nothing left over.
fn settled(member: &str) -> crate::ir::Request {
    let request = with(member).expect(member);
    assert!(request.extra.is_empty(), "{member}: {:?}", request.extra);
    assert_eq!(
        decode_request(&encode_request(&request)).expect("our own"),
        request
    );
    request
}

#[test]
fn forms_in_every_name() {
    use crate::ir::Format;
    let schema = r#"{"type":"object"}"#;
    for (member, expected) in [
        (r#""response_format":{"type":"text"}"#, Format::Text),
        (
            r#""response_format":{"type":"json_object"}"#,
            Format::JsonObject,
        ),
        (
            r#""structured_outputs":{"json_object":true}"#,
            Format::JsonObject,
        ),
        (r#""guided_regex":"a+""#, Format::Regex("a+".to_owned())),
        (r#""regex":"a+""#, Format::Regex("a+".to_owned())),
        (
            r#""structured_outputs":{"regex":"a+"}"#,
            Format::Regex("a+".to_owned()),
        ),
        (r#""ebnf":"g""#, Format::Grammar("g".to_owned())),
        (r#""guided_grammar":"g""#, Format::Grammar("g".to_owned())),
        (
            r#""structured_outputs":{"choice":["a","b"]}"#,
            Format::Choice(vec!["a".to_owned(), "b".to_owned()]),
        ),
    ] {
        assert_eq!(settled(member).format, expected, "{member}");
    }
    for member in [
        format!(r#""guided_json":{schema}"#),
        format!(r#""json_schema":{schema:?}"#),
        format!(r#""structured_outputs":{{"json":{schema}}}"#),
        format!(r#""response_format":{{"type":"json_object","schema":{schema}}}"#),
    ] {
        let Format::JsonSchema {
            name: None,
            schema: found,
            ..
        } = settled(&member).format
        else {
            panic!("{member}")
        };
        assert_eq!(found.as_str(), schema);
    }
    let named = settled(
        r#""response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{}}}"#,
    );
    assert!(
        matches!(named.format, Format::JsonSchema { name: Some(name), strict: true, .. } if name == "a")
    );
    let tag = settled(r#""response_format":{"type":"structural_tag","structures":[1]}"#);
    assert!(matches!(tag.format, Format::StructuralTag(_)));
    let beside = with(r#""structured_outputs":{"regex":"a","whitespace_pattern":" "}"#);
    let again = decode_request(&encode_request(beside.as_ref().expect("valid")));
    assert_eq!(
        again.expect("our own").extra.raw("structured_outputs"),
        Some(r#"{"whitespace_pattern":" "}"#)
    );
}

#[test]
fn tool_choices_in_every_form() {
    use crate::ir::ToolChoice;
    let named = ToolChoice::Named("f".to_owned());
    for (member, expected) in [
        (r#""tool_choice":"none""#, ToolChoice::None),
        (r#""tool_choice":"auto""#, ToolChoice::Auto),
        (r#""tool_choice":"required""#, ToolChoice::Required),
        (
            r#""tool_choice":{"type":"function","function":{"name":"f"}}"#,
            named.clone(),
        ),
        (
            r#""tool_choice":{"type":"function","name":"f"}"#,
            named.clone(),
        ),
        (r#""function_call":{"name":"f"}"#, named),
        (
            r#""tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            ToolChoice::Allowed {
                names: vec!["f".to_owned()],
                required: true,
            },
        ),
    ] {
        assert_eq!(
            with(member).expect(member).tool_choice,
            expected,
            "{member}"
        );
    }
    assert_eq!(
        settled(r#""functions":[{"name":"g","parameters":{}}]"#)
            .tools
            .len(),
        2
    );
    for (member, path) in [
        (r#""tool_choice":"perhaps""#, "tool_choice"),
        (r#""tool_choice":{"type":"custom"}"#, "tool_choice.type"),
        (
            r#""tool_choice":{"type":"function","function":{}}"#,
            "tool_choice.function.name",
        ),
        (r#""tool_choice":7"#, "tool_choice"),
    ] {
        assert_eq!(with(member).expect_err(member).path(), Some(path));
    }
}

#[test]
fn engines_are_shown_the_tools_that_may_be_called() {
    let tools =
        r#""tools":[{"type":"function","function":{"name":"f"}},{"function":{"name":"g"}}]"#;
    let allowed = |mode: &str| {
        format!(
            r#"{{"type":"allowed_tools","allowed_tools":{{"mode":"{mode}","tools":[{{"type":"function","function":{{"name":"g"}}}}]}}}}"#
        )
    };
    for (choice, shown, word) in [
        (allowed("auto"), &["g"][..], "\"auto\""),
        (allowed("required"), &["g"], "\"required\""),
        ("\"none\"".to_owned(), &[], "\"none\""),
        ("\"auto\"".to_owned(), &["f", "g"], "\"auto\""),
    ] {
        let body = format!(r#"{{"model":"m","messages":[],{tools},"tool_choice":{choice}}}"#);
        let request = decode_request(body.as_bytes()).expect("valid");
        let written: serde_json::Value =
            serde_json::from_slice(&encode_request(&request)).expect("our own");
        let names = |tool: &serde_json::Value| tool["function"]["name"].clone();
        let told: Vec<_> = written["tools"]
            .as_array()
            .map(|tools| tools.iter().map(names).collect())
            .unwrap_or_default();
        assert_eq!(told, shown, "{choice}");
        assert_eq!(written["tool_choice"].to_string(), word);
    }
}

#[test]
fn parts_are_read_one_by_one_and_have_a_bound() {
    let body = |parts: &str| {
        format!(r#"{{"model":"m","messages":[{{"role":"assistant","content":[{parts}]}}]}}"#)
    };
    let said = body(r#"{"type":"refusal","refusal":"no"},"a""#);
    let request = decode_request(said.as_bytes()).expect("valid");
    let Prompt::Messages(messages) = &request.prompt else {
        panic!("chat")
    };
    let Some(Content::Parts(parts)) = &messages[0].content else {
        panic!("parts")
    };
    assert!(matches!(&parts[0], Part::Text { text, .. } if text == "no"));
    let half = format!(r#"{}"a""#, r#""a","#.repeat(32_767));
    let two = |more: &str| {
        let turn = format!(r#"{{"role":"user","content":[{half}]}}"#);
        format!(r#"{{"model":"m","messages":[{turn},{turn}{more}]}}"#)
    };
    assert!(decode_request(two("").as_bytes()).is_ok());
    let many = two(r#",{"role":"user","content":["a"]}"#);
    for (body, path) in [
        (many, "messages[2].content"),
        (
            body(r#""a",{"type":"refusal"},7"#),
            "messages[0].content[1]",
        ),
        (body(r#""a",7"#), "messages[0].content[1]"),
    ] {
        let error = decode_request(body.as_bytes()).expect_err(path);
        assert_eq!(error.path(), Some(path), "{error}");
    }
}

#[test]
fn the_older_calls_become_calls_of_tools() {
    let body = r#"{"model":"m","messages":[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"ok"}]}"#;
    let request = decode_request(body.as_bytes()).expect("valid");
    let Prompt::Messages(messages) = &request.prompt else {
        panic!("chat")
    };
    assert_eq!(messages[0].tool_calls[0].id, "call_0_0");
    assert_eq!(messages[1].role, "tool");
    assert_eq!(messages[1].tool_call_id.as_deref(), Some("call_0_0"));
    assert_eq!(
        decode_request(&encode_request(&request)).expect("our own"),
        request
    );
}

#[test]
fn reasoning_in_every_name() {
    let reasoning = |member: &str| settled(member).reasoning;
    assert_eq!(
        reasoning(r#""reasoning_effort":"low""#).effort.as_deref(),
        Some("low")
    );
    assert_eq!(
        reasoning(r#""reasoning_effort":"none""#).enabled,
        Some(false)
    );
    for member in [
        r#""max_thinking_tokens":9"#,
        r#""thinking_budget":9"#,
        r#""thinking_token_budget":9"#,
        r#""reasoning":{"max_tokens":9}"#,
        r#""thinking":{"budget_tokens":9,"type":"enabled"}"#,
    ] {
        assert_eq!(reasoning(member).budget_tokens, Some(9), "{member}");
    }
    for member in [
        r#""reasoning":{"enabled":false,"effort":"high"}"#,
        r#""thinking":{"type":"disabled"}"#,
    ] {
        let request = settled(member);
        assert_eq!(request.reasoning.enabled, Some(false), "{member}");
        for switch in ["enable_thinking", "thinking"] {
            assert_eq!(request.template.kwargs.raw(switch), Some("false"));
        }
    }
    let told = settled(r#""chat_template_kwargs":{"enable_thinking":false}"#);
    assert_eq!(told.reasoning.enabled, Some(false));
    assert_eq!(told.template.kwargs.raw("thinking"), None);
    let left = with(r#""reasoning":{"effort":"low","summary":"auto"}"#).expect("valid");
    assert_eq!(left.extra.raw("reasoning"), Some(r#"{"summary":"auto"}"#));
}

#[test]
fn the_other_options() {
    let request = settled(
        r#""logprobs":true,"top_logprobs":3,"parallel_tool_calls":false,"documents":[{"text":"d"}],"chat_template":"t","add_generation_prompt":false,"continue_final_message":true,"echo":true,"no_stop_trim":true,"cache_salt":"s","priority":-2,"logit_bias":{"5":-100,"6":0.25}"#,
    );
    assert_eq!(request.logprobs.map(|asked| asked.top), Some(3));
    assert_eq!(request.parallel_tool_calls, Some(false));
    assert_eq!(request.sampling.logit_bias, [(5, -100.0), (6, 0.25)]);
    assert!(request.keep_stop && request.echo && request.template.continue_final_message);
    assert_eq!(request.template.add_generation_prompt, Some(false));
    assert_eq!(
        (request.cache_salt.as_deref(), request.priority),
        (Some("s"), Some(-2))
    );
    for (member, path) in [
        (r#""top_logprobs":3"#, "top_logprobs"),
        (r#""logit_bias":{"a":1}"#, "logit_bias.a"),
        (r#""logit_bias":{"1":"x"}"#, "logit_bias.1"),
        (r#""logit_bias":[1]"#, "logit_bias"),
        (
            r#""response_format":{"type":"xml"}"#,
            "response_format.type",
        ),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"name":"a"}}"#,
            "response_format.json_schema.schema",
        ),
        (
            r#""response_format":{"type":"json_object"},"regex":"a""#,
            "regex",
        ),
        (r#""guided_json":"{""#, "guided_json"),
        (r#""thinking":{"type":"deep"}"#, "thinking.type"),
        (r#""thinking":true"#, "thinking"),
    ] {
        let error = with(member).expect_err(member);
        assert_eq!(error.path(), Some(path));
        let api = crate::error::ApiError::from(error);
        assert_eq!((api.status, api.param.as_deref()), (400, Some(path)));
        assert!(api.message.ends_with('.') && api.code.is_some());
    }
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

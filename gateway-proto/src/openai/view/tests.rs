use super::*;
use crate::error::ApiError;

fn chat(body: &str) -> Result<RequestView, RequestError> {
    RequestView::parse(
        Api::ChatCompletions,
        body.as_bytes(),
        &ViewLimits::default(),
    )
}

fn completions(body: &str) -> Result<RequestView, RequestError> {
    RequestView::parse(Api::Completions, body.as_bytes(), &ViewLimits::default())
}

/// A chat body with one more member.
fn with(member: &str) -> String {
    format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}],{member}}}"#)
}

/// The field at fault and the code.
fn fault(body: &str) -> (Option<String>, &'static str) {
    let error = chat(body).expect_err(body);
    (error.param().map(ToOwned::to_owned), error.code())
}

#[test]
fn every_fact_of_a_chat_request() {
    let body = r#" {"model": "a\/b", "messages" : [ {"role":"user","content":"héllo"} , {"content":[{"type":"text","text":"x"}],"role":"user"} ],
        "tools":[{"type":"function"}], "stream":true, "stream_options":{"x":[1],"include_usage":true}, "n":2,
        "max_tokens":5, "max_completion_tokens":7, "priority":-3, "user":"u", "prompt_cache_key":"k", "session_id":"s",
        "cache_salt":"salt", "temperature":0.5, "unknown":{"deep":[[[{}]]]}, "top_p":null} "#;
    let view = chat(body).expect("valid");
    let text = |span: Option<Span>| {
        RequestView::text(body.as_bytes(), span.expect("present")).map(Cow::into_owned)
    };
    assert_eq!(&*view.model, "a/b");
    assert_eq!(view.model_span.of(body.as_bytes()), br#""a\/b""#);
    assert_eq!(view.shape, PromptShape::Messages { count: 2 });
    assert!(
        view.prompt_span.of(body.as_bytes()).starts_with(b"[ {")
            && view.prompt_span.of(body.as_bytes()).ends_with(b"} ]")
    );
    assert_eq!(
        view.tools_span.map(|span| span.of(body.as_bytes())),
        Some(&br#"[{"type":"function"}]"#[..])
    );
    assert_eq!((view.stream, view.include_usage, view.n), (true, true, 2));
    assert_eq!((view.max_tokens, view.priority), (Some(7), Some(-3)));
    assert_eq!(text(view.user).as_deref(), Some("u"));
    assert_eq!(text(view.cache_salt).as_deref(), Some("salt"));
    assert_eq!(view.session_key(body.as_bytes()), Some(&b"s"[..]));
    assert_eq!(
        view.prompt_size,
        PromptSize {
            tokens: view.prompt_span.len().div_ceil(4) as u64,
            exact: false
        }
    );
}

#[test]
fn absent_and_null_fields_have_their_defaults() {
    for member in [
        r#""x":1"#,
        r#""n":null,"stream":null,"stream_options":null,"max_tokens":null,"user":null,"tools":null"#,
    ] {
        let view = chat(&with(member)).expect(member);
        assert_eq!(
            (view.stream, view.include_usage, view.n, view.max_tokens),
            (false, false, 1, None)
        );
        assert_eq!(
            (view.user, view.tools_span, view.session_key(b"")),
            (None, None, None)
        );
    }
}

#[test]
fn every_prompt_shape() {
    let shape = |prompt: &str| {
        let view = completions(&format!(r#"{{"prompt":{prompt},"model":"m"}}"#)).expect(prompt);
        (view.shape, view.prompt_size)
    };
    let size = |tokens, exact| PromptSize { tokens, exact };
    assert_eq!(shape(r#""abcdefgh""#), (PromptShape::Text, size(3, false)));
    assert_eq!(shape(r#"["a","b"]"#).0, PromptShape::Texts { count: 2 });
    assert_eq!(
        shape("[1, 2 ,3]"),
        (PromptShape::TokenIds { count: 3 }, size(3, true))
    );
    assert_eq!(
        shape("[[1],[2,3]]"),
        (PromptShape::TokenIdLists { count: 2 }, size(3, true))
    );
}

#[test]
fn wrong_prompts_name_their_place() {
    for (prompt, path) in [
        ("7", "prompt"),
        ("[]", "prompt"),
        ("[[]]", "prompt[0]"),
        ("[{}]", "prompt[0]"),
        (r#"["a",1]"#, "prompt[1]"),
        (r#"[1,"a"]"#, "prompt[1]"),
        ("[1,-2]", "prompt[1]"),
        ("[1,2.5]", "prompt[1]"),
        ("[1,4294967296]", "prompt[1]"),
        ("[[1],2]", "prompt[1]"),
        ("[[1],[2,true]]", "prompt[1][1]"),
    ] {
        let error =
            completions(&format!(r#"{{"model":"m","prompt":{prompt}}}"#)).expect_err(prompt);
        assert_eq!(error.param(), Some(path), "{prompt}");
    }
    assert_eq!(
        completions(r#"{"model":"m"}"#)
            .expect_err("no prompt")
            .param(),
        Some("prompt")
    );
}

#[test]
fn wrong_fields_name_their_path() {
    let missing = "missing_required_parameter";
    for (body, path, code) in [
        (r#"{"messages":[{"role":"user"}]}"#, "model", missing),
        (
            r#"{"model":"","messages":[{"role":"user"}]}"#,
            "model",
            "invalid_value",
        ),
        (r#"{"model":7}"#, "model", "invalid_type"),
        (r#"{"model":null}"#, "model", "invalid_type"),
        (r#"{"model":"m"}"#, "messages", missing),
        (
            r#"{"model":"m","messages":[]}"#,
            "messages",
            "invalid_value",
        ),
        (r#"{"model":"m","messages":{}}"#, "messages", "invalid_type"),
        (
            r#"{"model":"m","messages":[1]}"#,
            "messages[0]",
            "invalid_type",
        ),
        (
            r#"{"model":"m","messages":[{"role":"u"},{"content":"x"}]}"#,
            "messages[1].role",
            missing,
        ),
        (
            r#"{"model":"m","messages":[{"role":1}]}"#,
            "messages[0].role",
            "invalid_type",
        ),
        (
            r#"{"model":"m","messages":[{"role":"u","content":{}}]}"#,
            "messages[0].content",
            "invalid_type",
        ),
        (
            r#"{"model":"m","messages":[{"role":"u","content":["a",1]}]}"#,
            "messages[0].content[1]",
            "invalid_type",
        ),
    ] {
        assert_eq!(fault(body), (Some(path.to_owned()), code), "{body}");
    }
}

#[test]
fn wrong_options_name_their_path() {
    for (member, path, code) in [
        (r#""stream":"yes""#, "stream", "invalid_type"),
        (r#""stream_options":[]"#, "stream_options", "invalid_type"),
        (
            r#""stream_options":{"include_usage":1}"#,
            "stream_options.include_usage",
            "invalid_type",
        ),
        (r#""n":0"#, "n", "invalid_value"),
        (r#""n":1000000"#, "n", "invalid_value"),
        (r#""n":99999999999999999999999"#, "n", "invalid_value"),
        (r#""n":1.5"#, "n", "invalid_type"),
        (r#""n":"1""#, "n", "invalid_type"),
        (r#""max_tokens":0"#, "max_tokens", "invalid_value"),
        (
            r#""max_completion_tokens":-1"#,
            "max_completion_tokens",
            "invalid_value",
        ),
        (r#""temperature":"hot""#, "temperature", "invalid_type"),
        (r#""temperature":2.1"#, "temperature", "invalid_value"),
        (r#""temperature":1e999"#, "temperature", "invalid_value"),
        (r#""top_p":-0.1"#, "top_p", "invalid_value"),
        (
            r#""presence_penalty":3"#,
            "presence_penalty",
            "invalid_value",
        ),
        (r#""tools":{}"#, "tools", "invalid_type"),
        (r#""user":{}"#, "user", "invalid_type"),
        (r#""model":"x""#, "model", "duplicate_parameter"),
        (r#""mod\u0065l":"x""#, "model", "duplicate_parameter"),
    ] {
        assert_eq!(
            fault(&with(member)),
            (Some(path.to_owned()), code),
            "{member}"
        );
    }
}

#[test]
fn broken_json_gives_the_byte() {
    let at = |body: &[u8]| {
        RequestView::parse(Api::ChatCompletions, body, &ViewLimits::default()).expect_err("broken")
    };
    assert_eq!(at(b""), RequestError::Truncated { offset: 0 });
    assert_eq!(at(br#"{"model": "#), RequestError::Truncated { offset: 10 });
    assert_eq!(
        at(br#"{"model":"m\"#),
        RequestError::Truncated { offset: 12 }
    );
    assert_eq!(at(br#"{"x":"\u12"#), RequestError::Truncated { offset: 10 });
    assert_eq!(at(br#"{"x":tru"#), RequestError::Truncated { offset: 8 });
    assert_eq!(at(b"{\"x\":\"\xff\"}"), RequestError::Utf8 { offset: 6 });
    assert!(matches!(
        at(b"{\"x\":\"a\nb\"}"),
        RequestError::Syntax { offset: 7, .. }
    ));
    assert!(matches!(
        at(br#"{"x":01}"#),
        RequestError::Syntax { offset: 6, .. }
    ));
    assert!(matches!(
        at(br#"{"x":1,}"#),
        RequestError::Syntax { offset: 7, .. }
    ));
    assert!(matches!(
        at(br#"{"x":"\q"}"#),
        RequestError::Syntax { offset: 7, .. }
    ));
    assert!(matches!(at(b"[]"), RequestError::Syntax { offset: 0, .. }));
    assert_eq!(
        at(format!("{} x", with("\"y\":1")).as_bytes()),
        RequestError::Trailing {
            offset: with("\"y\":1").len() + 1
        }
    );
}

#[test]
fn depth_is_limited_without_recursion() {
    let nested = |levels: usize| {
        with(&format!(
            "\"x\":{}{}",
            "[".repeat(levels),
            "]".repeat(levels)
        ))
    };
    assert!(chat(&nested(127)).is_ok());
    assert!(matches!(
        chat(&nested(128)),
        Err(RequestError::TooDeep { limit: 128, .. })
    ));
    assert!(matches!(
        chat(&with(&format!("\"x\":{}", "{\"a\":[".repeat(100_000)))),
        Err(RequestError::TooDeep { .. })
    ));
}

#[test]
fn another_model_is_spliced_in() {
    let body = with(r#""z": 1.50"#).replace("\"m\"", "\"old\"");
    let spliced = chat(&body)
        .expect("valid")
        .splice_model(body.as_bytes(), "new \"one\"");
    assert_eq!(spliced, body.replace("\"old\"", r#""new \"one\"""#));
}

#[test]
fn errors_become_openai_errors() {
    let api = ApiError::from(chat(&with("\"n\":0")).expect_err("out of range"));
    assert_eq!(
        (api.status, api.param.as_deref(), api.code.as_deref()),
        (400, Some("n"), Some("invalid_value"))
    );
    assert_eq!(
        api.message,
        "Invalid 'n': expected an integer from 1 to 128."
    );
}

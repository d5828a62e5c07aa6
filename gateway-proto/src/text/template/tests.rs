use proptest::prelude::*;

use super::{LocalTime, SpecialTokens, Template, TemplateError, TemplateSource};
use crate::ir::{Fields, Json, Prompt, Request};
use crate::openai::chat;

fn request(messages: &str) -> Request {
    let body = format!(r#"{{"model": "m", "messages": {messages}}}"#);
    chat::decode_request(body.as_bytes()).unwrap()
}

fn hi() -> Request {
    request(r#"[{"role": "user", "content": "hi"}]"#)
}

fn render(source: &str, request: &Request) -> Result<String, TemplateError> {
    let tokens = SpecialTokens {
        bos: Some("<s>".to_owned()),
        ..SpecialTokens::default()
    };
    let template = Template::compile(source, tokens)?;
    template.render(request, LocalTime::from_unix(0, 0))
}

/// What an expression prints for one message.
fn printed(expression: &str) -> String {
    render(&format!("{{{{ {expression} }}}}"), &hi()).unwrap()
}

#[test]
fn expressions_print_as_in_python() {
    for (expression, text) in [
        (
            "[1, 1.0, 1e16, none, true, 'it\\'s']",
            "[1, 1.0, 1e+16, None, True, \"it's\"]",
        ),
        ("{'a': (1,), 'b': []}", "{'a': (1,), 'b': []}"),
        ("messages", "[{'role': 'user', 'content': 'hi'}]"),
        ("'a' ~ none ~ 1 ~ true", "aNone1True"),
        ("messages[0].nothing", ""),
        ("none | trim", "None"),
        ("'abcd'[::-1] ~ [1, 2, 3][-2:]", "dcba[2, 3]"),
        ("messages[0].items is defined", "True"),
        (
            "'x' is sequence and {} is iterable and not none is iterable",
            "True",
        ),
        ("true is number and 1 is integer and 1.0 is float", "True"),
        ("[1]|map('string')|list", "['1']"),
        ("1 if []|select else 2", "1"),
        ("'a\\n\\nb\\n'|indent(2, first=true)", "  a\n\n  b\n"),
        ("'<'|safe + '<'", "<&lt;"),
        ("dict(a=1, **{'b': 2})|tojson", "{\"a\": 1, \"b\": 2}"),
        ("[1, {'é': '<&\\''}]|tojson", "[1, {\"é\": \"<&'\"}]"),
        (
            "{'b': 1, 'a': [1, {}]}|tojson(indent=2, sort_keys=true)",
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": 1\n}",
        ),
        ("'é'|tojson(ensure_ascii=true)", "\"\\u00e9\""),
        ("[1, 2]|tojson(separators=(',', ':'))", "[1,2]"),
        ("strftime_now('%d %B %Y')", "01 January 1970"),
        ("bos_token", "<s>"),
    ] {
        assert_eq!(printed(expression), text, "{expression}");
    }
}

#[test]
fn what_fails_in_jinja_fails() {
    for expression in [
        "messages[0].a.b",
        "'a' + 1",
        "'a' + none",
        "none|length",
        "nothing|tojson",
        "messages|map(attribute='role')|tojson",
        "messages[0].content.append(1)",
        "nothing()",
        "'a'[::0]",
    ] {
        let failed = render(&format!("{{{{ {expression} }}}}"), &hi());
        assert!(
            matches!(failed, Err(TemplateError::Failed { .. })),
            "{expression}: {failed:?}"
        );
    }
    let none = render("{% for x in tools %}{% endfor %}", &hi());
    assert!(matches!(none, Err(TemplateError::Failed { line: 1, .. })));
}

#[test]
fn a_template_speaks_for_itself() {
    let source =
        "{% macro no() %}{{ raise_exception('no ' ~ messages[0].role) }}{% endmacro %}{{ no() }}";
    match render(source, &hi()) {
        Err(TemplateError::Raised(text)) => assert_eq!(text, "no user"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn work_is_bounded() {
    let endless = "{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}";
    assert!(matches!(
        render(endless, &hi()),
        Err(TemplateError::Endless)
    ));
    let deep = "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}";
    assert!(matches!(
        render(deep, &hi()),
        Err(TemplateError::Failed { .. })
    ));
    let long = "{% for a in range(100) %}{{ 'x' * 1000000 }}{% endfor %}";
    assert!(matches!(render(long, &hi()), Err(TemplateError::TooLong)));
    let source = "x".repeat(super::LONGEST_SOURCE + 1);
    assert!(matches!(
        render(&source, &hi()),
        Err(TemplateError::SourceTooLong(_))
    ));
    assert!(matches!(
        render("{% if %}", &hi()),
        Err(TemplateError::Syntax { line: 1, .. })
    ));
}

#[test]
fn variables_of_the_request() {
    let source = "{{ [enable_thinking, reasoning_effort, x, tools, documents, add_generation_prompt]|tojson }}";
    let mut request = hi();
    request.reasoning.effort = Some("none".to_owned());
    request.template.kwargs =
        serde_json::from_str::<Fields>(r#"{"x": {"b": 1.50}, "tools": 3}"#).unwrap();
    request.template.documents = Some(Json::of(&[serde_json::json!({"title": "t"})]).unwrap());
    assert_eq!(
        render(source, &request).unwrap(),
        r#"[false, "none", {"b": 1.5}, null, [{"title": "t"}], true]"#
    );
    request.template.documents = Some(Json::of("no list").unwrap());
    assert!(matches!(
        render(source, &request),
        Err(TemplateError::Documents)
    ));
    request.prompt = Prompt::Text("a".to_owned());
    assert!(matches!(
        render(source, &request),
        Err(TemplateError::NoConversation)
    ));
}

#[test]
fn contents_take_the_form_the_template_knows() {
    let flat = "{% for m in messages %}{{ m.content + '|' }}{% endfor %}";
    let parts =
        "{% for m in messages %}{% for p in m.content %}{{ p.text + '|' }}{% endfor %}{% endfor %}";
    let both = request(
        r#"[{"role": "user", "content": "a"}, {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]}]"#,
    );
    assert_eq!(render(flat, &both).unwrap(), "a|b\nc|");
    assert_eq!(render(parts, &both).unwrap(), "a|b|c|");
}

#[test]
fn facts_tell_what_is_read_and_printed() {
    let source = "{% for m in messages %}{{ m.content }}{% endfor %}\
        {% if add_generation_prompt %}<a>{% if enable_thinking is false %}<think></think>{% endif %}{% endif %}";
    let template = Template::compile(source, SpecialTokens::default()).unwrap();
    let facts = template.facts();
    assert!(facts.reads("enable_thinking") && !facts.reads("tools"));
    assert!(facts.takes_text && !facts.takes_parts && facts.prints_system);
}

#[test]
fn the_final_message_is_continued() {
    let mut request = request(r#"[{"role": "assistant", "content": "Roses are "}]"#);
    request.template.continue_final_message = true;
    let kept = "<a>{{ messages[0].content }}</a>{{ 'open' if add_generation_prompt }}";
    assert_eq!(render(kept, &request).unwrap(), "<a>Roses are ");
    let trimmed = "<a>{{ messages[0].content.strip() }}</a>";
    assert_eq!(render(trimmed, &request).unwrap(), "<a>Roses are");
    let dropped = "<a>{# content #}</a>";
    assert!(matches!(
        render(dropped, &request),
        Err(TemplateError::Continue(_))
    ));
}

#[test]
fn the_source_of_a_model_compiles() {
    let config =
        br#"{"chat_template": "{{ bos_token }}{{ messages[0].content }}", "bos_token": "<s>"}"#;
    let source = TemplateSource::from_files(None, Some(config)).unwrap();
    let tokens = SpecialTokens::from_config(config).unwrap();
    let template = Template::compile(source.for_tools(true).unwrap(), tokens).unwrap();
    let prompt = template.render(&hi(), LocalTime::from_unix(0, 0)).unwrap();
    assert_eq!(prompt, "<s>hi");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_source_panics(pieces in proptest::collection::vec(
        prop_oneof![
            "[a-z{}%\\[\\]:'\"()|+\\-~. \u{e9}\\\\0-9]{0,12}",
            proptest::sample::select(&[
                "{{ ", " }}", "{% ", " %}", "for x in ", "endfor", "if ", "endif", "messages", "[::-1]", "[1:",
                "|tojson", "|safe", " + ", "{% raw %}", "set x = ", ".items()", ".split(", "'", "generation",
            ][..]).prop_map(str::to_owned),
        ], 0..14,
    )) {
        super::fuzz::template(pieces.concat().as_bytes());
    }
}

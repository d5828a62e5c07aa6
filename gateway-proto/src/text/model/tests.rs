//! Models made from files, good and broken; prompts; answers token by token.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::engines::{TokenEvent, TokenFinish};
use crate::ir::{Answer, AnswerChoice, Finish, Format, Head, Request};
use crate::openai::chat;
use crate::text::parse::Family;
use crate::text::template::LocalTime;

pub(super) fn files() -> ModelFiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/models/small");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a file of the model");
    ModelFiles {
        tokenizer: read("tokenizer.json"),
        tokenizer_config: Some(read("tokenizer_config.json")),
        chat_template: Some(String::from_utf8(read("chat_template.jinja")).expect("text")),
        generation_config: Some(read("generation_config.json")),
        config: Some(read("config.json")),
    }
}

pub(super) static MODEL: LazyLock<TextModel> =
    LazyLock::new(|| TextModel::load(&files(), &ModelOptions::default()).expect("a good model"));

fn request(mut body: Value) -> Request {
    body["model"] = "m".into();
    chat::decode_request(body.to_string().as_bytes()).expect("a good body")
}

pub(super) fn prepare(model: &TextModel, body: Value) -> Result<Prepared, PrepareError> {
    let prepared = model.prepare(&request(body), LocalTime::from_unix(0, 0), 7);
    prepared.map(|mut all| all.swap_remove(0))
}

/// Reads `text` in pieces of these lengths, as an engine that stops by itself gives it.
fn read(model: &TextModel, prepared: &Prepared, text: &str, pieces: &[usize]) -> AnswerChoice {
    let ids = model.tokenizer().encode(text, false).expect("text");
    let mut reader = prepared.reader(0);
    let (mut events, mut rest, mut at) = (Vec::new(), &ids[..], 0);
    while !rest.is_empty() {
        let count = pieces.get(at).copied().unwrap_or(1).clamp(1, rest.len());
        let event = TokenEvent {
            ids: rest[..count].to_vec(),
            ..TokenEvent::default()
        };
        assert_eq!(reader.push(&event, &mut events), Verdict::GoOn);
        (rest, at) = (&rest[count..], at + 1);
    }
    let end = TokenEvent {
        ids: vec![model.ends()[0]],
        finish: Some(TokenFinish::Stop { token: None }),
        ..TokenEvent::default()
    };
    assert_eq!(reader.push(&end, &mut events), Verdict::Over);
    assert_eq!(reader.tokens(), ids.len() as u64 + 1);
    let mut answer = Answer::new(Head::default());
    for event in events {
        answer.push(event).expect("nothing fails here");
    }
    answer.choices.swap_remove(0)
}

pub(super) fn with_tool(text: &str) -> Value {
    json!({"messages": [{"role": "user", "content": text}], "tools": [{"type": "function",
        "function": {"name": "f", "parameters": {"type": "object", "$defs": {"d": {"type": "string"}},
            "properties": {"x": {"$ref": "#/$defs/d"}}}}}]})
}

#[test]
fn broken_files_are_named_with_the_reason() {
    let refused = |change: fn(&mut ModelFiles)| {
        let mut files = files();
        change(&mut files);
        let error = TextModel::load(&files, &ModelOptions::default()).expect_err("broken");
        error.to_string()
    };
    let cut = refused(|files| files.tokenizer.truncate(1_000));
    assert!(cut.starts_with("tokenizer.json"), "{cut}");
    let template = refused(|files| files.chat_template = Some("{% for %}".to_owned()));
    assert!(template.starts_with("chat template"), "{template}");
    let generation = refused(|files| files.generation_config = Some(b"[]".to_vec()));
    assert!(
        generation.starts_with("generation_config.json"),
        "{generation}"
    );
    let context = refused(|files| files.config = None);
    assert!(context.contains("context_tokens"), "{context}");
    let stop = ModelOptions {
        stop_token_ids: vec![4_000_000],
        ..ModelOptions::default()
    };
    let error = TextModel::load(&files(), &stop).expect_err("no such token");
    assert!(error.to_string().contains("4000000"), "{error}");
}

#[test]
fn the_template_tells_how_the_model_writes_and_options_overrule_it() {
    assert_eq!(MODEL.parser().family, Family::Hermes);
    let options = ModelOptions {
        family: Some(Family::Json),
        ..ModelOptions::default()
    };
    let other = TextModel::load(&files(), &options).expect("a good model");
    assert_eq!(other.parser().family, Family::Json);
}

#[test]
fn forced_calls_become_a_schema_that_finds_what_the_tools_refer_to() {
    let mut body = with_tool("Hi");
    body["tool_choice"] = "required".into();
    body["parallel_tool_calls"] = false.into();
    body["reasoning_effort"] = "none".into();
    let prepared = prepare(&MODEL, body).expect("a prompt");
    let constraint = prepared.constraint.expect("it is forced at once");
    assert!(constraint.is_calls);
    let Format::JsonSchema { schema, .. } = constraint.format else {
        panic!("{constraint:?}");
    };
    let schema = schema.to_value().expect("not deep");
    assert_eq!(schema["maxItems"], 1);
    let parameters = &schema["$defs"]["parameters0"];
    assert_eq!(parameters["$defs"]["d"]["type"], "string");
    assert_eq!(
        parameters["properties"]["x"]["$ref"],
        "#/$defs/parameters0/$defs/d"
    );
    assert_eq!(
        schema["items"]["anyOf"][0]["properties"]["name"]["enum"][0],
        "f"
    );
}

#[test]
fn the_prompt_has_the_tools_that_may_be_called() {
    let prompt = |choice: Value| {
        let mut body = with_tool("Hi");
        let other = json!({"type": "function", "function": {"name": "other"}});
        body["tools"].as_array_mut().expect("tools").push(other);
        body["tool_choice"] = choice;
        MODEL.text_of(&prepare(&MODEL, body).expect("a prompt").prompt)
    };
    let all = prompt("auto".into());
    assert!(all.contains("\"name\": \"f\"") && all.contains("\"name\": \"other\""));
    for mode in ["auto", "required"] {
        let tools = json!([{"type": "function", "function": {"name": "other"}}]);
        let some = prompt(
            json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}),
        );
        assert!(!some.contains("\"name\": \"f\"") && some.contains("\"name\": \"other\""));
    }
    let mut plain = with_tool("Hi");
    plain["tools"] = json!([]);
    let plain = prepare(&MODEL, plain).expect("a prompt").prompt;
    assert_eq!(prompt("none".into()), MODEL.text_of(&plain));
}

#[test]
fn allowed_tokens_are_tokens_of_the_model() {
    let allowed = |id: usize| {
        let mut body = with_tool("Hi");
        body["allowed_token_ids"] = json!([0, id]);
        prepare(&MODEL, body)
    };
    let vocabulary = MODEL.tokenizer().vocab_size();
    assert!(allowed(vocabulary - 1).is_ok());
    let error = allowed(vocabulary).expect_err("no such token").to_api();
    assert_eq!(error.param.as_deref(), Some("allowed_token_ids[1]"));
    assert_eq!(error.code.as_deref(), Some("token_out_of_vocabulary"));
}

#[test]
fn a_forced_call_and_another_form_exclude_each_other() {
    let mut body = with_tool("Hi");
    body["tool_choice"] = "required".into();
    body["response_format"] = json!({"type": "json_object"});
    let error = prepare(&MODEL, body).expect_err("a conflict").to_api();
    assert_eq!(error.code.as_deref(), Some("conflicting_constraints"));
}

#[test]
fn tokens_that_the_model_does_not_have_are_refused_wherever_they_stand() {
    let hi = json!([{"role": "user", "content": "Hi"}]);
    let refused = |member: &str, value: Value| {
        let mut body = json!({"messages": hi});
        body[member] = value;
        let error = prepare(&MODEL, body).expect_err("no such token").to_api();
        assert_eq!(error.code.as_deref(), Some("token_out_of_vocabulary"));
        error.param
    };
    let stop = refused("stop_token_ids", json!([1, 4_000_000]));
    assert_eq!(stop.as_deref(), Some("stop_token_ids[1]"));
    let bias = refused("logit_bias", json!({"1": 1, "4000000": 1}));
    assert_eq!(bias.as_deref(), Some("logit_bias.4000000"));
}

#[test]
fn defaults_come_from_the_files_unless_the_request_says_otherwise() {
    let model = &*MODEL;
    let hi = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let mut warm = hi.clone();
    warm["temperature"] = 0.25.into();
    warm["max_tokens"] = 1_000_000.into();
    let sampling = |body: &Value| prepare(model, body.clone()).expect("a prompt").sampling;
    let (usual, own) = (sampling(&hi), sampling(&warm));
    assert_eq!(own.temperature, Some(0.25));
    let room = u64::from(model.context_tokens());
    assert!(
        own.max_tokens.is_some_and(|tokens| tokens < room),
        "cut to what fits"
    );
    assert!(usual.max_tokens.is_some_and(|tokens| tokens < room));
}

#[test]
fn an_answer_of_reasoning_text_and_calls_is_read() {
    let model = &*MODEL;
    let prepared = prepare(model, with_tool("Hi")).expect("a prompt");
    let text = "<think>\nHm.\n</think>\n\nSo.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": \"é\"}}\n</tool_call>";
    let choice = read(model, &prepared, text, &[]);
    assert_eq!(choice.finish, Some(Finish::ToolCalls));
    assert_eq!(
        choice.calls().next().map(|call| &*call.arguments),
        Some("{\"x\": \"é\"}")
    );
}

#[test]
fn a_request_brings_its_own_template_where_that_is_allowed() {
    let options = ModelOptions {
        allows_request_templates: true,
        ..ModelOptions::default()
    };
    let model = TextModel::load(&files(), &options).expect("a good model");
    let own = json!({"messages": [{"role": "user", "content": "Hi"}], "chat_template": "Say: {{ messages[0].content }}"});
    let prepared = prepare(&model, own).expect("a prompt");
    assert_eq!(model.text_of(&prepared.prompt), "Say: Hi");
}

#[test]
fn an_answer_is_over_with_its_first_call_where_one_is_all_that_is_taken() {
    let mut body = with_tool("Hi");
    body["parallel_tool_calls"] = false.into();
    let prepared = prepare(&MODEL, body).expect("a prompt");
    let call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>";
    let ids = MODEL
        .tokenizer()
        .encode(&format!("{call}\n{call}"), false)
        .expect("text");
    let mut reader = prepared.reader(0);
    let mut events = Vec::new();
    let all = TokenEvent {
        ids,
        ..TokenEvent::default()
    };
    assert_eq!(reader.push(&all, &mut events), Verdict::Over);
    let mut answer = Answer::new(Head::default());
    for event in events {
        answer.push(event).expect("nothing fails here");
    }
    assert_eq!(answer.choices[0].calls().count(), 1);
    assert_eq!(answer.choices[0].finish, Some(Finish::ToolCalls));
}

/// Plays an engine that says `first`, and `second` once it is asked to go on; gives the answer and how often it was asked.
fn play(prepared: &Prepared, first: &str, second: &str) -> (AnswerChoice, usize) {
    let model = &*MODEL;
    let room =
        prepared.prompt.len() as u64 + prepared.sampling.max_tokens.expect("it is always set");
    let mut reader = prepared.reader(0);
    let (mut events, mut legs, mut say) = (Vec::new(), 1, first);
    'legs: loop {
        let mut ids = model.tokenizer().encode(say, false).expect("text");
        ids.push(model.ends()[0]);
        let last = ids.len() - 1;
        for (at, id) in ids.into_iter().enumerate() {
            let event = TokenEvent {
                ids: vec![id],
                finish: (at == last).then_some(TokenFinish::Stop { token: None }),
                ..TokenEvent::default()
            };
            match reader.push(&event, &mut events) {
                Verdict::GoOn => {}
                Verdict::Over => break 'legs,
                Verdict::Continue(next) => {
                    assert!(
                        next.prompt.len() as u64 + next.max_tokens <= room,
                        "it fits the context"
                    );
                    assert!(next.prompt.starts_with(&prepared.prompt));
                    (legs, say) = (legs + 1, second);
                    continue 'legs;
                }
            }
        }
    }
    let mut answer = Answer::new(Head::default());
    for event in events {
        answer.push(event).expect("nothing fails here");
    }
    (answer.choices.swap_remove(0), legs)
}

proptest! {
    #[test]
    fn reasoning_closed_anywhere_leaves_every_character_where_it_belongs(
        thought in "([a-z ]{1,6}|\n|\nObs|é€|日本|🦀){1,9}",
        answer in "[a-z日é]{1,9}( Obs)?",
        budget in 1u64..40,
    ) {
        let mut body = with_tool("Hi");
        body["thinking"] = json!({"type": "enabled", "budget_tokens": budget});
        body["stop"] = json!(["\nObservation:"]);
        let prepared = prepare(&MODEL, body).expect("a prompt");
        let whole = format!("<think>\n{thought}\n</think>\n\n{answer}");
        let (choice, legs) = play(&prepared, &whole, &answer);
        let (said, reasoned) = (choice.text(), choice.reasoning());
        prop_assert_eq!(said.trim(), answer.trim());
        prop_assert!(thought.trim().starts_with(reasoned.trim()), "{:?}", choice);
        prop_assert_eq!(&choice.finish, &Some(Finish::Stop));
        let is_torn = reasoned.contains(char::REPLACEMENT_CHARACTER);
        prop_assert!(legs == 1 || !is_torn);
    }

    #[test]
    fn a_form_begins_where_reasoning_ends(
        thought in "([a-z ]{1,6}|\n|é€|<|</thin){0,6}",
        reasons in any::<bool>(),
    ) {
        let mut body = with_tool("Hi");
        body["response_format"] = json!({"type": "json_object"});
        let prepared = prepare(&MODEL, body).expect("a prompt");
        prop_assert!(prepared.constraint.is_none(), "it waits");
        let first = if reasons {
            format!("<think>\n{thought}\n</think>\n\nThis is not JSON.")
        } else {
            "This is not JSON.".to_owned()
        };
        let (choice, legs) = play(&prepared, &first, "{\"a\": 1}");
        prop_assert_eq!(legs, 2);
        prop_assert_eq!(choice.text(), "{\"a\": 1}");
        let expected = if reasons { thought.trim() } else { "" };
        let reasoned = choice.reasoning();
        prop_assert_eq!(reasoned.trim(), expected);
    }

    #[test]
    fn however_tokens_come_the_answer_is_the_same(
        text in "(<think>|</think>|<tool_call>|\\{\"name\": \"f\", \"arguments\": \\{\\}\\}|</tool_call>|[a-zé€ ]{0,9}|\n|stop){0,12}",
        pieces in prop::collection::vec(1usize..9, 0..40),
    ) {
        let model = &*MODEL;
        let mut body = with_tool("Hi");
        body["stop"] = json!(["never said"]);
        let prepared = prepare(model, body).expect("a prompt");
        let whole = read(model, &prepared, &text, &[usize::MAX]);
        prop_assert_eq!(read(model, &prepared, &text, &pieces), whole);
    }
}

//! Answers that go on in another call, and what their callers are told.

use serde_json::{Value, json};

use super::{Continuation, Verdict};
use crate::engines::{TokenEvent, TokenFinish};
use crate::ir::{Answer, AnswerChoice, Event, Finish, Head, Step, StopCause};
use crate::text::model::tests::{MODEL, files, prepare, with_tool};
use crate::text::model::{ModelOptions, Prepared, TextModel};
use crate::text::parse::{Family, ReasoningStyle, Tags};

const CALL: &str = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": \"y\"}}\n</tool_call>";

/// An answer, its events, and the calls that went on with it.
struct Talk {
    choice: AnswerChoice,
    events: Vec<Event>,
    legs: Vec<Continuation>,
}

/// An engine that says one text in each call, token by token, and then is done or, at last, finishes with `last`.
fn talk(model: &TextModel, prepared: &Prepared, says: &[&str], last: &TokenFinish) -> Talk {
    let (mut reader, mut events, mut legs) = (prepared.reader(0), Vec::new(), Vec::new());
    let mut says = says.iter().peekable();
    'legs: while let Some(text) = says.next() {
        let finish = match says.peek() {
            Some(_) => &TokenFinish::Stop { token: None },
            None => last,
        };
        let mut ids = model.tokenizer().encode(text, false).expect("text");
        let ends = matches!(finish, TokenFinish::Stop { .. });
        ids.extend(ends.then_some(model.ends()[0]));
        let count = ids.len();
        for (at, id) in ids.into_iter().enumerate() {
            let event = TokenEvent {
                ids: vec![id],
                finish: (at + 1 == count).then(|| finish.clone()),
                ..TokenEvent::default()
            };
            match reader.push(&event, &mut events) {
                Verdict::GoOn => {}
                Verdict::Over => break 'legs,
                Verdict::Continue(next) => {
                    legs.push(next);
                    continue 'legs;
                }
            }
        }
    }
    let mut answer = Answer::new(Head::default());
    for event in events.clone() {
        answer.push(event).expect("nothing fails here");
    }
    Talk {
        choice: answer.choices.swap_remove(0),
        events,
        legs,
    }
}

const DONE: TokenFinish = TokenFinish::Stop { token: None };

fn with_form(change: impl FnOnce(&mut Value)) -> Prepared {
    let mut body = with_tool("Hi");
    let schema = json!({"type": "object", "required": ["a"]});
    body["response_format"] = json!({"type": "json_schema",
        "json_schema": {"name": "s", "strict": true, "schema": schema}});
    change(&mut body);
    prepare(&MODEL, body).expect("a prompt")
}

/// The text that the engine is to go on with.
fn added(model: &TextModel, prepared: &Prepared, next: &Continuation) -> String {
    assert!(next.prompt.starts_with(&prepared.prompt));
    model.text_of(&next.prompt[prepared.prompt.len()..])
}

#[test]
fn tools_can_be_called_where_the_last_answer_is_to_be_of_a_form() {
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto",
        "tools": [{"type": "function", "function": {"name": "f"}}]}});
    for choice in [json!(null), json!("auto"), allowed] {
        let prepared = with_form(|body| body["tool_choice"] = choice.clone());
        assert!(prepared.constraint.is_none(), "{choice}");
        assert!(prepared.later_constraint().is_some() && prepared.may_continue());
        for before in ["", "Let me look.\n\n", "<think>\nHm.\n</think>\n\n"] {
            let said = talk(&MODEL, &prepared, &[&format!("{before}{CALL}")], &DONE);
            assert_eq!(said.legs, []);
            let choice = said.choice;
            assert_eq!(choice.calls().count(), 1, "{choice:?}");
            assert_eq!(choice.calls().next().map(|call| &*call.name), Some("f"));
            assert_eq!(choice.finish, Some(Finish::ToolCalls));
            assert_eq!(choice.violation, None);
            assert_eq!(choice.text().is_empty(), !before.starts_with("Let"));
        }
    }
}

#[test]
fn a_text_that_is_no_call_gives_way_to_the_form() {
    let json = "{\"a\": [1]}";
    let long = "and so on ".repeat(100);
    for first in ["{\"b\": 1}", "Sure!", "Sure: {", "", &long] {
        for (thought, kept) in [("", ""), ("<think>\nHm.\n</think>", "\n\n")] {
            let prepared = with_form(|_| ());
            let first = format!("{thought}{first}");
            let said = talk(&MODEL, &prepared, &[&first, json], &DONE);
            assert_eq!(said.legs.len(), 1, "{first}");
            assert!(said.legs[0].constraint.is_some());
            let added = added(&MODEL, &prepared, &said.legs[0]);
            assert_eq!(added, format!("{thought}{kept}"), "{first}");
            assert_eq!(said.choice.text(), json);
            assert_eq!(said.choice.violation, None);
        }
    }
}

#[test]
fn a_form_that_waits_is_still_held_to_its_schema() {
    let prepared = with_form(|_| ());
    let said = talk(&MODEL, &prepared, &["Sure!", "{}"], &DONE);
    assert!(said.choice.violation.is_some(), "{:?}", said.choice);
    let cut = talk(&MODEL, &prepared, &["Sure!"], &TokenFinish::Length);
    assert_eq!(cut.choice.text(), "Sure!", "nothing held back is lost");
}

#[test]
fn forms_of_every_answer_stay_enforced_from_the_start() {
    let regex = with_form(|body| {
        body["response_format"] = json!(null);
        body["structured_outputs"] = json!({"regex": "a+"});
        body["reasoning_effort"] = "none".into();
    });
    assert!(regex.constraint.is_some());
    let no_calls = with_form(|body| {
        body["tool_choice"] = "none".into();
        body["reasoning_effort"] = "none".into();
    });
    assert!(no_calls.constraint.is_some());
}

#[test]
fn a_tag_of_a_special_token_and_a_word_is_seen_in_ids() {
    let mut files = files();
    let mut tokenizer: Value = serde_json::from_slice(&files.tokenizer).expect("JSON");
    let tokens = tokenizer["added_tokens"].as_array_mut().expect("a list");
    for content in ["<|channel>", "<channel|>"] {
        let mut token = tokens[0].clone();
        token["id"] = (4096 + tokens.len()).into();
        token["content"] = content.into();
        tokens.push(token);
    }
    files.tokenizer = tokenizer.to_string().into_bytes();
    let options = ModelOptions {
        reasoning: Some(ReasoningStyle::Tagged(Tags::channel())),
        ..ModelOptions::default()
    };
    let model = TextModel::load(&files, &options).expect("a good model");
    let hi = json!({"messages": [{"role": "user", "content": "Hi"}]});
    let prepared = prepare(&model, hi).expect("a prompt");
    let said = talk(
        &model,
        &prepared,
        &["<|channel>thought\nHm.<channel|>Yes."],
        &DONE,
    );
    assert_eq!(
        (&*said.choice.reasoning(), &*said.choice.text()),
        ("Hm.", "Yes.")
    );
}

#[test]
fn the_fewest_tokens_are_never_more_than_the_most() {
    let mut body = with_tool("Hi");
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 3});
    body["min_tokens"] = 30.into();
    body["max_tokens"] = 30.into();
    let prepared = prepare(&MODEL, body.clone()).expect("a prompt");
    let said = talk(
        &MODEL,
        &prepared,
        &["<think>\nOne two three four five", "x"],
        &DONE,
    );
    let leg = &said.legs[0];
    assert_eq!(
        leg.min_tokens, leg.max_tokens,
        "what was closed with took room"
    );

    let options = ModelOptions {
        context_tokens: Some(prepared.prompt.len() as u32 + 10),
        ..ModelOptions::default()
    };
    let small = TextModel::load(&files(), &options).expect("a good model");
    let sampling = prepare(&small, body).expect("a prompt").sampling;
    assert_eq!(
        (sampling.min_tokens, sampling.max_tokens),
        (Some(10), Some(10))
    );
}

/// The ids told, which all come before the end.
fn told(said: &Talk) -> Vec<u32> {
    let last = said.events.last();
    assert!(
        matches!(
            last,
            Some(Event::Step {
                step: Step::Finished { .. },
                ..
            })
        ),
        "{last:?}"
    );
    said.choice.token_ids.clone()
}

#[test]
fn ids_are_those_of_what_stays_and_come_before_the_end() {
    let ids = |text: &str| MODEL.tokenizer().encode(text, false).expect("text");
    let end = MODEL.ends()[0];
    let json = "{\"a\": 1}";
    for waits in [true, false] {
        let prepared = with_form(|body| {
            body["return_token_ids"] = true.into();
            if waits {
                body["tools"] = json!([]);
            }
        });
        let said = talk(&MODEL, &prepared, &["Sure!", json], &DONE);
        assert_eq!(told(&said), [&ids(json)[..], &[end]].concat());
        let thought = "<think>\nHm.\n</think>";
        let said = talk(
            &MODEL,
            &prepared,
            &[&format!("{thought}Sure: {{"), json],
            &DONE,
        );
        assert_eq!(
            told(&said),
            [&ids(thought), &ids(json)[..], &[end]].concat()
        );
    }
    let prepared = with_form(|body| body["return_token_ids"] = true.into());
    let said = talk(&MODEL, &prepared, &[CALL], &DONE);
    assert_eq!(told(&said), [&ids(CALL)[..], &[end]].concat());
    let thought = "<think>\nHm.";
    let said = talk(&MODEL, &prepared, &[thought, json], &DONE);
    let expected = [&ids(thought), &ids(json)[..], &[end]].concat();
    assert_eq!(
        told(&said),
        expected,
        "the end within reasoning does not stay"
    );
}

#[test]
fn a_stop_of_the_model_is_no_stop_of_the_caller() {
    let options = ModelOptions {
        stops: vec!["HALT".to_owned()],
        ..ModelOptions::default()
    };
    let model = TextModel::load(&files(), &options).expect("a good model");
    let mut body = json!({"messages": [{"role": "user", "content": "Hi"}], "stop": ["WAIT"],
        "reasoning_effort": "none", "response_format": {"type": "json_schema",
            "json_schema": {"name": "s", "strict": true, "schema": {"type": "object"}}}});
    let prepared = prepare(&model, body.clone()).expect("a prompt");
    let by_model = talk(&model, &prepared, &["[1] HALT"], &DONE).choice;
    assert_eq!((&by_model.stop, by_model.text().trim()), (&None, "[1]"));
    assert!(by_model.violation.is_some(), "it ended by itself");
    let by_caller = talk(&model, &prepared, &["[1] WAIT"], &DONE).choice;
    assert_eq!(by_caller.stop, Some(StopCause::Text("WAIT".to_owned())));
    assert_eq!(by_caller.violation, None);

    body["stop"] = json!(["HALT"]);
    let prepared = prepare(&model, body).expect("a prompt");
    let both = talk(&model, &prepared, &["[1] HALT"], &DONE).choice;
    assert_eq!(both.stop, Some(StopCause::Text("HALT".to_owned())));
}

#[test]
fn a_whole_call_is_held_to_its_schema_however_the_answer_ends() {
    let mut body = with_tool("Hi");
    body["tools"][0]["function"]["strict"] = true.into();
    let prepared = prepare(&MODEL, body).expect("a prompt");
    let broken = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1}}\n</tool_call>";
    let violation = |text: &str| {
        let said = talk(&MODEL, &prepared, &[text], &TokenFinish::Length);
        assert_eq!(said.choice.finish, Some(Finish::Length));
        said.choice.violation
    };
    assert!(violation(&format!("{broken}\n<tool_call>\n{{\"name\"")).is_some());
    assert_eq!(violation(CALL), None);
    let begun = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": 1";
    assert_eq!(violation(begun), None, "it says so by its reason");
}

fn harmony() -> TextModel {
    let options = ModelOptions {
        family: Some(Family::Harmony),
        ..ModelOptions::default()
    };
    TextModel::load(&files(), &options).expect("a good model")
}

const THOUGHT: &str = "<|channel|>analysis<|message|>This goes on and on and on and on.";

fn with_budget(model: &TextModel, change: impl FnOnce(&mut Value)) -> Prepared {
    let mut body = with_tool("Hi");
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 4});
    change(&mut body);
    prepare(model, body).expect("a prompt")
}

#[test]
fn harmony_can_call_a_tool_after_its_budget_and_is_closed_for_good_the_second_time() {
    let model = harmony();
    let call = "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|call|>";
    let answer = "<|end|><|start|>assistant<|channel|>final<|message|>";
    for form in [json!(null), json!({"type": "json_object"})] {
        let prepared = with_budget(&model, |body| body["response_format"] = form.clone());
        let said = talk(&model, &prepared, &[THOUGHT, call], &DONE);
        let first = added(&model, &prepared, &said.legs[0]);
        assert!(first.ends_with("<|end|><|start|>assistant"), "{first}");
        assert_eq!((said.legs.len(), said.choice.calls().count()), (1, 1));

        let said = talk(&model, &prepared, &[THOUGHT, THOUGHT, "{}"], &DONE);
        let second = added(&model, &prepared, &said.legs[1]);
        assert!(
            second.starts_with(&first) && second.ends_with(answer),
            "{second}"
        );
        assert_eq!(said.legs[1].constraint.is_some(), form != json!(null));
        assert_eq!(said.choice.text(), "{}");
        assert!("This goes on".starts_with(said.choice.reasoning().trim()));
    }
    let prepared = with_budget(&model, |body| body["tools"] = json!([]));
    let said = talk(&model, &prepared, &[THOUGHT, "Yes."], &DONE);
    assert!(added(&model, &prepared, &said.legs[0]).ends_with(answer));
    assert_eq!(said.choice.text(), "Yes.");
}

#[test]
fn harmony_answers_in_the_form_where_it_calls_nothing() {
    let model = harmony();
    let prepared = with_budget(&model, |body| {
        body["response_format"] = json!({"type": "json_object"});
    });
    let answer = "<|channel|>final<|message|>";
    let said = talk(
        &model,
        &prepared,
        &[THOUGHT, &format!("{answer}Sure!"), "{}"],
        &DONE,
    );
    let last = added(&model, &prepared, &said.legs[1]);
    assert!(
        last.ends_with(&format!("<|end|><|start|>assistant{answer}")),
        "{last}"
    );
    assert!(said.legs[1].constraint.is_some());
    assert_eq!(said.choice.text(), "{}");
}

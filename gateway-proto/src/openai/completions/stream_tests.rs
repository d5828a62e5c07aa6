//! What is written of a completion, streamed and whole.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::ir::{Event, Finish, Prompt, Request, Step, StopCause};
use crate::openai::write::testing::{add, answer, events, head, pieces, token, usage, written};
use crate::openai::{Echo, ReplyOptions};

fn options() -> ReplyOptions {
    ReplyOptions {
        include_usage: true,
        echo: Some(Echo {
            prompts: vec!["é ".to_owned(), String::new()],
            n: 2,
        }),
        ..ReplyOptions::default()
    }
}

fn story() -> Vec<Event> {
    let at = |choice, step| Event::Step { choice, step };
    let mut top = token("a", -0.25);
    top.top = vec![token("a", -0.25), token("b", -1.5)];
    vec![
        at(1, Step::Logprobs(vec![top, token("é", -0.5)])),
        at(1, Step::Text("aé".to_owned())),
        at(1, Step::Logprobs(vec![token("!", -2.0)])),
        at(2, Step::Text("b".to_owned())),
        at(
            1,
            Step::Finished {
                finish: Finish::Stop,
                stop: Some(StopCause::Text("!".to_owned())),
                violation: None,
            },
        ),
        at(
            2,
            Step::Finished {
                finish: Finish::Length,
                stop: None,
                violation: None,
            },
        ),
        Event::Usage(usage()),
    ]
}

#[test]
fn a_stream_as_it_goes_out() {
    let mut out = Vec::new();
    let mut stream = CompletionStream::new(&head(), &options());
    for event in story() {
        stream.event(&event, &mut out);
    }
    stream.finish(&mut out);
    assert_snapshot!("stream", String::from_utf8(out).expect("UTF-8"));
    let whole = encode_answer(&answer(&story()), &options());
    assert_snapshot!("answer", String::from_utf8(whole).expect("UTF-8"));
}

#[test]
fn options_come_from_the_request() {
    let request = Request {
        prompt: Prompt::Texts(vec!["a".to_owned(), "b".to_owned()]),
        echo: true,
        ..Request::default()
    };
    let echo = ReplyOptions::of(&request).echo.expect("asked for");
    assert_eq!((echo.text(0), echo.text(1), echo.text(2)), ("a", "b", ""));
    assert_eq!(
        ReplyOptions::of(&Request::default()),
        ReplyOptions::default()
    );
}

#[test]
fn prompts_alone_are_given_back_without_an_engine() {
    let body = br#"{"model":"m","prompt":["one","two"],"n":2,"echo":true,"max_tokens":0,"stream_options":{"include_usage":true}}"#;
    let mut request = decode_request(body).expect("a good body");
    assert!(is_echo_alone(&request));
    let options = ReplyOptions::of(&request);
    let events: Vec<Event> = echo_events(4, 9).collect();
    let whole = encode_answer(&answer(&events), &options);
    let whole: Value = serde_json::from_slice(&whole).expect("JSON");
    let data = written(CompletionStream::new(&head(), &options), &events);
    let (pieces, _) = pieces(&data, "text_completion");
    for choices in [Value::Array(gathered(&pieces)), whole["choices"].clone()] {
        let texts = [0, 1, 2, 3].map(|at| choices[at]["text"].clone());
        assert_eq!(texts, ["one", "one", "two", "two"]);
        assert_eq!(choices[3]["finish_reason"], "length");
    }
    assert_eq!(whole["usage"]["prompt_tokens"], 9);
    assert_eq!(whole["usage"]["completion_tokens"], 0);
    request.sampling.max_tokens = Some(1);
    assert!(!is_echo_alone(&request));
}

#[test]
fn each_choice_tells_its_prompt_once() {
    let told = |choice, ids: &[u32]| Event::Step {
        choice,
        step: Step::PromptTokenIds(ids.into()),
    };
    let text = |choice| Event::Step {
        choice,
        step: Step::Text("t".to_owned()),
    };
    let events = [told(0, &[1]), text(0), told(1, &[2, 3]), text(1), text(0)];
    let data = written(CompletionStream::new(&head(), &options()), &events);
    let (pieces, _) = pieces(&data, "text_completion");
    let prompts = |index: u32| -> Vec<&Value> {
        let of = pieces.iter().filter(|piece| piece["index"] == index);
        of.map(|piece| &piece["prompt_token_ids"]).collect()
    };
    let (first, second) = (prompts(0), prompts(1));
    assert_eq!((first[0], second[0]), (&json!([1]), &json!([2, 3])));
    let rest = first.iter().skip(1).chain(second.iter().skip(1));
    assert!(rest.clone().count() > 0 && rest.clone().all(|prompt| prompt.is_null()));
}

#[test]
fn a_failure_is_the_last_event() {
    let error = ApiError::upstream("It broke.");
    let mut out = Vec::new();
    let mut stream = CompletionStream::new(&head(), &options());
    stream.fail(&error, &mut out);
    stream.finish(&mut out);
    assert_eq!(out, error.to_event(None));
}

fn gathered(pieces: &[Value]) -> Vec<Value> {
    let mut choices: Vec<Value> = Vec::new();
    for piece in pieces {
        let at = usize::try_from(piece["index"].as_u64().expect("a number")).expect("small");
        while choices.len() <= at {
            let index = choices.len();
            choices.push(json!({"index": index, "logprobs": null}));
        }
        let mut piece = piece.clone();
        piece.as_object_mut().expect("a choice").remove("index");
        add(&mut choices[at], &piece);
    }
    choices
}

proptest! {
    #[test]
    fn the_stream_adds_up_to_the_whole(mut events in events()) {
        let step = Step::PromptTokenIds([7, 8].into());
        events.insert(0, Event::Step { choice: 0, step });
        let data = written(CompletionStream::new(&head(), &options()), &events);
        let (pieces, usage) = pieces(&data, "text_completion");
        let whole = encode_answer(&answer(&events), &options());
        let whole: Value = serde_json::from_slice(&whole).expect("JSON");
        prop_assert_eq!(Value::Array(gathered(&pieces)), whole["choices"].clone());
        prop_assert_eq!(usage, whole["usage"].clone());
    }
}

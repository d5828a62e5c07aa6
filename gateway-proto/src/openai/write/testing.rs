//! Answers made up for tests, and a client that knows nothing but the form.

use proptest::prelude::*;
use serde_json::Value;

use crate::dialect::StreamEncoder;
use crate::ir::{Answer, Event, Finish, Head, Step, StopCause, TokenLogprob, Usage};
use crate::sse::{Decoder, Limits};

pub(in crate::openai) fn head() -> Head {
    Head {
        id: "1".to_owned(),
        created: 7,
        model: "a\"b".to_owned(),
        prompt_tokens: Some(3),
    }
}

pub(in crate::openai) fn usage() -> Usage {
    Usage {
        prompt_tokens: 3,
        completion_tokens: 9,
        cached_tokens: Some(2),
        reasoning_tokens: Some(4),
    }
}

pub(in crate::openai) fn token(text: &str, logprob: f64) -> TokenLogprob {
    TokenLogprob {
        token: text.to_owned(),
        bytes: text.as_bytes().to_vec(),
        id: None,
        logprob,
        top: Vec::new(),
    }
}

/// Texts with everything that must be escaped.
fn text() -> impl Strategy<Value = String> {
    "[a-c\"\\\\\n\u{e9}\u{1f600}]{1,6}"
}

fn logprob() -> impl Strategy<Value = TokenLogprob> {
    (
        text(),
        -9.0..0.0,
        prop::collection::vec((text(), -9.0..0.0), 0..3),
    )
        .prop_map(|(chosen, logprob, top)| TokenLogprob {
            top: top.iter().map(|(text, at)| token(text, *at)).collect(),
            ..token(&chosen, logprob)
        })
}

/// A few steps that belong together.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let call = (text(), prop::collection::vec(text(), 0..3)).prop_map(|(name, arguments)| {
        let start = Step::CallStart {
            id: String::new(),
            name,
        };
        let arguments = arguments.into_iter().map(Step::CallArguments);
        [start]
            .into_iter()
            .chain(arguments)
            .chain([Step::CallEnd])
            .collect()
    });
    prop_oneof![
        4 => text().prop_map(|text| vec![Step::Text(text)]),
        2 => text().prop_map(|text| vec![Step::Reasoning(text)]),
        2 => call,
        1 => prop::collection::vec(logprob(), 1..4).prop_map(|tokens| vec![Step::Logprobs(tokens)]),
        1 => prop::collection::vec(any::<u32>(), 1..4).prop_map(|ids| vec![Step::TokenIds(ids)]),
    ]
}

fn finished() -> impl Strategy<Value = Step> {
    let finish = prop_oneof![
        Just(Finish::Stop),
        Just(Finish::Length),
        Just(Finish::Other("odd".to_owned()))
    ];
    let stop = prop_oneof![
        Just(None),
        text().prop_map(|text| Some(StopCause::Text(text))),
        any::<u32>().prop_map(|id| Some(StopCause::Token(id)))
    ];
    (finish, stop, prop::option::of(text())).prop_map(|(finish, stop, violation)| Step::Finished {
        finish,
        stop,
        violation,
    })
}

/// The events of an answer of several choices, whose calls have ids of their own.
pub(in crate::openai) fn events() -> impl Strategy<Value = Vec<Event>> {
    let choice = (prop::collection::vec(steps(), 0..6), finished()).prop_map(|(steps, end)| {
        let mut steps = steps.concat();
        steps.push(end);
        steps
    });
    prop::collection::vec(choice, 1..4).prop_map(|choices| {
        let longest = choices.iter().map(Vec::len).max().unwrap_or(0);
        let mut events = Vec::new();
        for at in 0..longest {
            for (steps, choice) in choices.iter().zip(0..) {
                let Some(mut step) = steps.get(at).cloned() else {
                    continue;
                };
                if let Step::CallStart { id, .. } = &mut step {
                    *id = format!("c{choice}-{at}");
                }
                events.push(Event::Step { choice, step });
            }
        }
        events.push(Event::Usage(usage()));
        events
    })
}

pub(in crate::openai) fn answer(events: &[Event]) -> Answer {
    let mut answer = Answer::new(head());
    for event in events {
        answer.push(event.clone()).expect("a whole answer");
    }
    answer
}

/// The data of the events that `encoder` writes, `[DONE]` included.
pub(in crate::openai) fn written(mut encoder: impl StreamEncoder, events: &[Event]) -> Vec<String> {
    let mut out = Vec::new();
    for event in events {
        encoder.event(event, &mut out);
    }
    encoder.finish(&mut out);
    let before = out.len();
    encoder.event(&Event::Usage(usage()), &mut out);
    encoder.finish(&mut out);
    assert_eq!(out.len(), before, "nothing follows the end");
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(&out);
    std::iter::from_fn(|| decoder.next_event().expect("within the limit"))
        .map(|event| event.data)
        .collect()
}

/// The chunks' choices one after the other, and the usage, after the checks that hold for each stream.
pub(in crate::openai) fn pieces(data: &[String], kind: &str) -> (Vec<Value>, Value) {
    let (last, chunks) = data.split_last().expect("an end");
    assert_eq!(last, "[DONE]");
    let chunks: Vec<Value> = chunks
        .iter()
        .map(|data| serde_json::from_str(data).expect("a chunk is JSON"))
        .collect();
    for chunk in &chunks {
        assert_eq!(chunk["object"], kind);
        assert_eq!(
            (&chunk["created"], &chunk["model"]),
            (&7.into(), &"a\"b".into())
        );
    }
    let (closing, chunks) = chunks.split_last().expect("a usage chunk");
    assert_eq!(closing["choices"], Value::Array(Vec::new()));
    let choices = chunks.iter().map(|chunk| {
        let choices = chunk["choices"].as_array().expect("choices");
        assert_eq!(choices.len(), 1);
        choices[0].clone()
    });
    (choices.collect(), closing["usage"].clone())
}

/// Appends the strings or lists of `more` to those of `whole`; `null` adds nothing, anything else replaces.
pub(in crate::openai) fn add(whole: &mut Value, more: &Value) {
    match (whole, more) {
        (_, Value::Null) => {}
        (Value::String(whole), Value::String(more)) => whole.push_str(more),
        (Value::Array(whole), Value::Array(more)) => whole.extend_from_slice(more),
        (Value::Object(whole), Value::Object(more)) => {
            for (key, value) in more {
                add(whole.entry(key).or_insert(Value::Null), value);
            }
        }
        (whole, more) => *whole = more.clone(),
    }
}

//! What is written of an answer, streamed and whole.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::ir::{Answer, Block, Event, Finish, Step};
use crate::openai::write::testing::{add, answer, events, head, pieces, token, usage, written};
use crate::openai::{ReasoningName, ReplyOptions};

fn options() -> ReplyOptions {
    ReplyOptions {
        include_usage: true,
        ..ReplyOptions::default()
    }
}

fn step(step: Step) -> Event {
    Event::Step { choice: 0, step }
}

fn story() -> Vec<Event> {
    let call = |id: &str| Step::CallStart {
        id: id.to_owned(),
        name: "f".to_owned(),
    };
    let steps = [
        Step::Reasoning("hm\n".to_owned()),
        Step::Logprobs(vec![token("é", -0.5), token("x", f64::NEG_INFINITY)]),
        Step::Text("é\"x".to_owned()),
        Step::TokenIds(vec![5, 6]),
        call("a"),
        Step::CallArguments("{\"q\":".to_owned()),
        Step::CallArguments("1}".to_owned()),
        Step::CallEnd,
        call("b"),
        Step::CallEnd,
        Step::Finished {
            finish: Finish::Stop,
            stop: None,
            violation: None,
        },
    ];
    let steps = steps.into_iter().map(step);
    steps.chain([Event::Usage(usage())]).collect()
}

#[test]
fn a_stream_as_it_goes_out() {
    let mut out = Vec::new();
    let mut stream = ChatStream::new(&head(), &options());
    for event in story() {
        stream.event(&event, &mut out);
    }
    stream.finish(&mut out);
    assert_snapshot!("stream", String::from_utf8(out).expect("UTF-8"));
    let whole = encode_answer(&answer(&story()), &options());
    assert_snapshot!("answer", String::from_utf8(whole).expect("UTF-8"));
}

#[test]
fn reasoning_has_the_name_that_was_asked_for() {
    for (reasoning, names) in [
        (ReasoningName::ReasoningContent, &["reasoning_content"][..]),
        (ReasoningName::Reasoning, &["reasoning"]),
        (ReasoningName::Both, &["reasoning_content", "reasoning"]),
    ] {
        let options = ReplyOptions {
            reasoning,
            ..options()
        };
        let data = written(ChatStream::new(&head(), &options), &story());
        let chunk: Value = serde_json::from_str(&data[1]).expect("JSON");
        let delta = chunk["choices"][0]["delta"].as_object().expect("a delta");
        assert_eq!(delta.keys().map(String::as_str).collect::<Vec<_>>(), names);
        let whole = encode_answer(&answer(&story()), &options);
        let whole: Value = serde_json::from_slice(&whole).expect("JSON");
        for name in names {
            assert_eq!(whole["choices"][0]["message"][name], "hm\n");
        }
    }
}

#[test]
fn a_failure_is_the_last_event() {
    let error = ApiError::upstream("It broke.");
    let mut out = Vec::new();
    let mut stream = ChatStream::new(&head(), &options());
    stream.event(&step(Step::Text("a".to_owned())), &mut out);
    stream.event(&Event::Failed(Box::new(error.clone())), &mut out);
    stream.finish(&mut out);
    stream.fail(&error, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.ends_with(std::str::from_utf8(&error.to_event(None)).expect("UTF-8")));
    assert_eq!(text.matches("It broke.").count(), 1);
    assert!(!text.contains("[DONE]"));
}

#[test]
fn usage_is_told_all_along_where_asked_for() {
    let options = ReplyOptions {
        continuous_usage: true,
        ..options()
    };
    let mut events = story();
    events.insert(0, Event::Usage(usage()));
    for data in written(ChatStream::new(&head(), &options), &events) {
        assert!(
            data == "[DONE]" || data.contains("\"completion_tokens\":9"),
            "{data}"
        );
    }
    let plain = written(ChatStream::new(&head(), &ReplyOptions::default()), &events);
    assert!(plain.iter().all(|data| !data.contains("usage")));
}

#[test]
fn what_waits_is_bounded_and_never_lost() {
    let tokens: Vec<_> = (0..2_000)
        .map(|_| step(Step::Logprobs(vec![token("t", -1.0)])))
        .collect();
    let data = written(ChatStream::new(&head(), &options()), &tokens);
    assert!(data.len() > 6, "chunks of their own");
    let (pieces, _) = pieces(&data, "chat.completion.chunk");
    let mut whole = Value::Null;
    pieces
        .iter()
        .for_each(|piece| add(&mut whole, &piece["logprobs"]["content"]));
    assert_eq!(whole.as_array().map(Vec::len), Some(2_000));
}

/// What a client puts together from the pieces of a stream.
fn gathered(pieces: &[Value]) -> Vec<Value> {
    let mut choices: Vec<Value> = Vec::new();
    for piece in pieces {
        let at = usize::try_from(piece["index"].as_u64().expect("a number")).expect("small");
        while choices.len() <= at {
            let index = choices.len();
            choices.push(json!({"index": index, "message": {"tool_calls": []}}));
        }
        let choice = &mut choices[at];
        let mut delta = piece["delta"].clone();
        let calls = delta
            .as_object_mut()
            .and_then(|delta| delta.remove("tool_calls"));
        add(&mut choice["message"], &delta);
        for call in calls
            .iter()
            .flat_map(|calls| calls.as_array().expect("calls"))
        {
            let mut call = call.clone();
            let index = call.as_object_mut().and_then(|call| call.remove("index"));
            let index = usize::try_from(index.and_then(|at| at.as_u64()).expect("a number"));
            let calls = choice["message"]["tool_calls"]
                .as_array_mut()
                .expect("calls");
            let index = index.expect("small");
            calls.resize(calls.len().max(index + 1), Value::Null);
            add(&mut calls[index], &call);
        }
        for key in [
            "logprobs",
            "token_ids",
            "finish_reason",
            "stop_reason",
            "violation",
        ] {
            if let Some(more) = piece.get(key) {
                let whole = choice.as_object_mut().expect("a choice");
                add(whole.entry(key).or_insert(Value::Null), more);
            }
        }
    }
    choices.into_iter().map(tidied).collect()
}

/// A whole answer has `null` for no text beside calls, and no empty list of calls.
fn tidied(mut choice: Value) -> Value {
    let message = choice["message"].as_object_mut().expect("a message");
    if message["tool_calls"].as_array().is_some_and(Vec::is_empty) {
        message.remove("tool_calls");
    } else if message["content"] == "" {
        message.insert("content".to_owned(), Value::Null);
    }
    choice
}

/// The same answer as a client of this dialect knows it.
fn as_told(mut answer: Answer) -> Answer {
    for choice in &mut answer.choices {
        if choice.calls().next().is_some() && choice.finish == Some(Finish::Stop) {
            choice.finish = Some(Finish::ToolCalls);
        }
    }
    answer
}

#[test]
fn the_prompt_is_told_once_beside_the_choices() {
    let of = |choice, step| Event::Step { choice, step };
    let ids = || Step::PromptTokenIds([7, 8].into());
    let text = || Step::Text("t".to_owned());
    let events = [of(0, ids()), of(0, text()), of(1, ids()), of(1, text())];
    let data = written(ChatStream::new(&head(), &options()), &events);
    let told: Vec<Value> = data
        .iter()
        .filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .map(|chunk| chunk["prompt_token_ids"].clone())
        .collect();
    assert_eq!(told[0], json!([7, 8]));
    assert!(told.len() > 3 && told[1..].iter().all(Value::is_null));
    let whole = encode_answer(&answer(&events), &options());
    let whole: Value = serde_json::from_slice(&whole).expect("JSON");
    assert_eq!(whole["prompt_token_ids"], json!([7, 8]));
}

/// Reasoning, text and calls in that order, as in whole answers.
fn sorted(mut answer: Answer) -> Answer {
    for choice in &mut answer.choices {
        let (text, thought) = (choice.text(), choice.reasoning());
        let calls: Vec<Block> = choice.calls().cloned().map(Block::Call).collect();
        choice.blocks.clear();
        if !thought.is_empty() {
            let (text, signature) = (thought, None);
            choice.blocks.push(Block::Reasoning { text, signature });
        }
        if !text.is_empty() {
            choice.blocks.push(Block::Text(text));
        }
        choice.blocks.extend(calls);
    }
    answer
}

proptest! {
    #[test]
    fn the_stream_adds_up_to_the_whole(events in events()) {
        let data = written(ChatStream::new(&head(), &options()), &events);
        let (pieces, usage) = pieces(&data, "chat.completion.chunk");
        let whole = encode_answer(&answer(&events), &options());
        let whole: Value = serde_json::from_slice(&whole).expect("JSON");
        prop_assert_eq!(Value::Array(gathered(&pieces)), whole["choices"].clone());
        prop_assert_eq!(usage, whole["usage"].clone());
    }

    #[test]
    fn the_stream_is_read_back_as_it_was(events in events()) {
        let data = written(ChatStream::new(&head(), &options()), &events);
        let (mut reader, mut read) = (ChunkReader::new(), Vec::new());
        let (last, before) = data.split_last().expect("an end");
        for chunk in before {
            prop_assert_eq!(reader.read(chunk, &mut read), Progress::Open);
        }
        prop_assert_eq!(reader.read(last, &mut read), Progress::Done);
        prop_assert_eq!(answer(&read), as_told(answer(&events)));
    }

    #[test]
    fn the_whole_is_read_back_as_it_was(events in events()) {
        let whole = encode_answer(&answer(&events), &options());
        let read = read_answer(&whole).expect("our own");
        prop_assert_eq!(read, sorted(as_told(answer(&events))));
    }
}

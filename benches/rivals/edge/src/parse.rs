//! Reading an answer of reasoning, text and two calls, token by token, with the families that rivals have too.

mod dynamo;
mod symphony;

use std::hint::black_box;

use gateway_benches::{Answer, answers, split};
use gateway_proto::text::parse::{Family, Piece};
use serde_json::Value;

use crate::table::{head, nanos, row};

/// What was read, as a whole.
#[derive(Debug, Default, PartialEq)]
pub struct Reading {
    pub reasoning: String,
    pub text: String,
    pub calls: Vec<(String, String)>,
}

impl Reading {
    /// What must be the same whoever reads: space around texts and within arguments is everybody's own.
    fn essence(&self) -> (&str, &str, Vec<(&str, Value)>) {
        let calls = self.calls.iter();
        let calls = calls.map(|(name, arguments)| {
            (
                &**name,
                serde_json::from_str(arguments).unwrap_or(Value::Null),
            )
        });
        (self.reasoning.trim(), self.text.trim(), calls.collect())
    }
}

pub fn run() {
    head(&[
        "ns a token",
        "gateway-proto",
        "smg-symphony",
        "dynamo-parsers-v2",
    ]);
    for answer in answers() {
        let pieces = split(&answer.text);
        let reading = ours(&answer, &pieces);
        let ours = nanos(
            || answer.spec().build(),
            |parser| pass(parser.as_mut(), &pieces),
        );
        let symphony = symphony::format(answer.family).map(|format| {
            is_same(
                "smg-symphony",
                answer.family,
                &reading,
                &symphony::read(&format, &pieces),
            );
            nanos(
                || symphony::engine(&format),
                |engine| symphony::pass(engine, &pieces),
            )
        });
        let dynamo = dynamo::family(answer.family).and_then(|name| {
            is_same(
                "dynamo-parsers-v2",
                answer.family,
                &reading,
                &dynamo::read(name, &pieces)?,
            );
            Some(nanos(
                || dynamo::parser(name),
                |parser| dynamo::pass(parser.as_mut(), &pieces),
            ))
        });
        row(
            answer.family.name(),
            &[Some(ours), symphony, dynamo],
            pieces.len() as f64,
        );
    }
}

fn is_same(who: &str, family: Family, ours: &Reading, theirs: &Reading) {
    if ours.essence() != theirs.essence() {
        eprintln!("{who} reads {family} otherwise: {theirs:?}\nand not {ours:?}");
    }
}

fn pass(parser: &mut dyn gateway_proto::text::parse::Parser, pieces: &[&str]) {
    let mut out = Vec::new();
    for piece in pieces {
        parser.push(black_box(piece), &mut out);
        // As a stream does: what is there goes on at once.
        black_box(&out);
        out.clear();
    }
    parser.finish(&mut out);
}

fn ours(answer: &Answer, pieces: &[&str]) -> Reading {
    let (mut parser, mut out) = (answer.spec().build(), Vec::new());
    pieces.iter().for_each(|piece| parser.push(piece, &mut out));
    parser.finish(&mut out);
    let mut reading = Reading::default();
    for piece in out {
        match piece {
            Piece::Text(text) => reading.text += &text,
            Piece::Reasoning(text) => reading.reasoning += &text,
            Piece::CallStart { name, .. } => reading.calls.push((name, String::new())),
            Piece::CallArguments(more) => {
                reading.calls.last_mut().expect("a call has begun").1 += &more
            }
            Piece::CallEnd => {}
        }
    }
    reading
}

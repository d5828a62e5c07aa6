//! A model's answer as an engine's reasoning and tool parsers split it.

use std::ops::Range;

use gateway_proto::text::parse::{ParserSpec, Piece};
use serde_json::{Map, Value, json};

use super::plan::{Finish, Plan};

/// What each token of one answer adds to a chat.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// Of each token.
    steps: Vec<Vec<Piece>>,
    /// Calls begun before each token.
    calls_before: Vec<usize>,
}

impl Reading {
    /// Reads a settled answer, and says of it that it ends in calls where it does.
    pub(super) fn of(plan: &mut Plan, spec: &ParserSpec) -> Self {
        let mut parser = spec.build();
        let mut steps = Vec::with_capacity(plan.len());
        let mut calls_before = Vec::with_capacity(plan.len());
        let mut calls = 0;
        for at in 0..plan.len() {
            let mut pieces = Vec::new();
            parser.push(plan.text(at..at + 1), &mut pieces);
            if at + 1 == plan.len() {
                parser.finish(&mut pieces);
            }
            calls_before.push(calls);
            calls += pieces.iter().filter(|piece| is_call(piece)).count();
            steps.push(pieces);
        }
        if calls > 0 && plan.finish.reason() == "stop" {
            plan.finish = Finish::ToolCalls;
        }
        Self {
            steps,
            calls_before,
        }
    }

    /// What these tokens add, as a stream says it; nothing where they add nothing. `call_id` names a call by its number.
    pub(super) fn delta(
        &self,
        tokens: Range<usize>,
        reasoning_field: &str,
        call_id: impl Fn(usize) -> String,
    ) -> Map<String, Value> {
        let mut said = Said::default();
        let mut next = self.calls_before.get(tokens.start).copied().unwrap_or(0);
        for piece in self.steps[tokens].iter().flatten() {
            said.add(piece, &mut next, &call_id);
        }
        said.into_delta(reasoning_field)
    }

    /// A whole answer, cut after so many tokens, as a reply in one piece says it.
    pub(super) fn message(
        &self,
        tokens: usize,
        reasoning_field: &str,
        call_id: impl Fn(usize) -> String,
    ) -> Value {
        let mut said = Said::default();
        let mut next = 0;
        for piece in self.steps[..tokens].iter().flatten() {
            said.add(piece, &mut next, &call_id);
        }
        said.into_message(reasoning_field)
    }
}

/// Whether an answer has calls.
pub(super) fn has_calls(answer: &str, spec: &ParserSpec) -> bool {
    let (mut parser, mut pieces) = (spec.build(), Vec::new());
    parser.push(answer, &mut pieces);
    parser.finish(&mut pieces);
    pieces.iter().any(is_call)
}

fn is_call(piece: &Piece) -> bool {
    matches!(piece, Piece::CallStart { .. })
}

/// Pieces put together.
#[derive(Default)]
struct Said {
    reasoning: String,
    content: String,
    calls: Vec<Call>,
}

struct Call {
    index: usize,
    /// Id and name, where it begins here.
    head: Option<(String, String)>,
    arguments: String,
}

impl Said {
    /// `next` is the number of the next call to begin.
    fn add(&mut self, piece: &Piece, next: &mut usize, call_id: impl Fn(usize) -> String) {
        match piece {
            Piece::Text(text) => self.content.push_str(text),
            Piece::Reasoning(text) => self.reasoning.push_str(text),
            Piece::CallStart { id, name } => {
                let id = id.clone().unwrap_or_else(|| call_id(*next));
                self.calls.push(Call {
                    index: *next,
                    head: Some((id, name.clone())),
                    arguments: String::new(),
                });
                *next += 1;
            }
            Piece::CallArguments(text) => self.current(*next).arguments.push_str(text),
            Piece::CallEnd => {}
        }
    }

    /// The call that arguments belong to.
    fn current(&mut self, next: usize) -> &mut Call {
        if self.calls.is_empty() {
            self.calls.push(Call {
                index: next.saturating_sub(1),
                head: None,
                arguments: String::new(),
            });
        }
        self.calls.last_mut().expect("there is one by now")
    }

    fn into_delta(self, reasoning_field: &str) -> Map<String, Value> {
        let mut delta = Map::new();
        if !self.reasoning.is_empty() {
            delta.insert(reasoning_field.to_owned(), self.reasoning.into());
        }
        if !self.content.is_empty() {
            delta.insert("content".to_owned(), self.content.into());
        }
        if !self.calls.is_empty() {
            let calls = self.calls.into_iter().map(Call::into_delta);
            delta.insert("tool_calls".to_owned(), calls.collect());
        }
        delta
    }

    fn into_message(self, reasoning_field: &str) -> Value {
        let text = |text: String| (!text.is_empty()).then_some(text);
        let mut message = json!({
            "role": "assistant",
            "content": text(self.content),
            "refusal": null,
            "annotations": null,
            "audio": null,
            "function_call": null,
            reasoning_field: text(self.reasoning),
        });
        if !self.calls.is_empty() {
            message["tool_calls"] = self
                .calls
                .into_iter()
                .filter_map(Call::into_whole)
                .collect();
        }
        message
    }
}

impl Call {
    fn into_delta(self) -> Value {
        let mut function = Map::new();
        let mut call = json!({"index": self.index});
        if let Some((id, name)) = self.head {
            call["id"] = id.into();
            call["type"] = "function".into();
            function.insert("name".to_owned(), name.into());
        }
        if !self.arguments.is_empty() || function.is_empty() {
            function.insert("arguments".to_owned(), self.arguments.into());
        }
        call["function"] = function.into();
        call
    }

    fn into_whole(self) -> Option<Value> {
        let (id, name) = self.head?;
        let function = json!({"name": name, "arguments": self.arguments});
        Some(json!({"id": id, "type": "function", "function": function}))
    }
}

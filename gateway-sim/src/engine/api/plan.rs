//! The whole answer, settled before its first token is due.

use std::ops::Range;
use std::sync::Arc;

use super::sampling::Sampling;
use crate::text::{Author, Speech, Voice};

/// Why an answer ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// It came to its end.
    End,
    /// A stop string.
    StopText(String),
    /// A stop token.
    StopToken(u32),
    /// The token limit.
    Length,
    /// A complete tool call.
    ToolCalls,
    /// It was broken off.
    Abort,
    /// It was broken off to be asked for again.
    Recomputed,
}

impl Finish {
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::End | Self::StopText(_) | Self::StopToken(_) | Self::Recomputed => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::Abort => "abort",
        }
    }

    /// vLLM's `stop_reason`: the string or token that ended it.
    pub(super) fn stop_reason(&self) -> serde_json::Value {
        match self {
            Self::StopText(text) => text.clone().into(),
            Self::StopToken(token) => (*token).into(),
            Self::Recomputed => "recomputed".into(),
            _ => serde_json::Value::Null,
        }
    }
}

/// One answer: its tokens, and how much of its text is there after each of them.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) tokens: Arc<[u32]>,
    text: String,
    /// Bytes of text after each token.
    ends: Vec<usize>,
    pub(super) finish: Finish,
}

impl Plan {
    /// The answer to a prompt; `room` is how many tokens the context has left for it, at least one.
    pub(super) fn write(
        voice: &Voice,
        prompt: &[u32],
        sampling: &Sampling,
        choice: u32,
        room: usize,
    ) -> Self {
        // Greedy choices of one request are all the same; sampled ones differ from their first token on. Each later token
        // follows from all before it, so that any choice can be continued elsewhere.
        let choice = if sampling.is_greedy { 0 } else { choice };
        let seed = sampling.seed;
        let mut author = match &sampling.form {
            _ if sampling.is_spoilt => voice.nonsense(prompt, seed),
            None => voice.author(prompt, seed, choice),
            Some(form) => Author::of(form.answer(voice, prompt, seed), voice.eos()),
        };
        let mut draft = Draft::new(voice);
        let limit = sampling.max_tokens.unwrap_or(room).min(room);
        while draft.finish.is_none() && draft.tokens.len() < limit {
            let may_end = !sampling.ignores_eos && draft.tokens.len() >= sampling.min_tokens;
            let Some(token) = author.write(may_end) else {
                break;
            };
            draft.push(token, sampling);
        }
        draft.settle()
    }

    /// A tool call: its arguments as tokens.
    pub(super) fn tool_call(
        voice: &Voice,
        arguments: &[u32],
        sampling: &Sampling,
        room: usize,
    ) -> Self {
        let limit = sampling.max_tokens.unwrap_or(room).min(room);
        let mut draft = Draft::new(voice);
        for token in arguments.iter().chain(&[voice.eos()]).take(limit) {
            draft.append(*token);
        }
        if arguments.len() < limit {
            draft.finish = Some(Finish::ToolCalls);
        }
        draft.settle()
    }

    /// The text of these tokens.
    pub(super) fn text(&self, tokens: Range<usize>) -> &str {
        let end = |count: usize| count.checked_sub(1).map_or(0, |last| self.ends[last]);
        &self.text[end(tokens.start)..end(tokens.end)]
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }
}

struct Draft<'a> {
    tokens: Vec<u32>,
    text: String,
    ends: Vec<usize>,
    speech: Speech<'a>,
    eos: u32,
    finish: Option<Finish>,
}

impl<'a> Draft<'a> {
    fn new(voice: &'a Voice) -> Self {
        Self {
            tokens: Vec::new(),
            text: String::new(),
            ends: Vec::new(),
            speech: voice.speech(),
            eos: voice.eos(),
            finish: None,
        }
    }

    fn push(&mut self, token: u32, sampling: &Sampling) {
        let before = self.text.len();
        self.append(token);
        let is_early = self.tokens.len() < sampling.min_tokens;
        if token == self.eos && !sampling.ignores_eos {
            self.finish = Some(Finish::End);
        } else if sampling.stop_token_ids.contains(&token) && !is_early {
            self.finish = Some(Finish::StopToken(token));
        } else if !is_early {
            self.find_stop(before, sampling);
        }
    }

    fn append(&mut self, token: u32) {
        self.tokens.push(token);
        self.text.push_str(&self.speech.push(token));
        self.ends.push(self.text.len());
    }

    /// Cuts the text where a stop string begins that the last token completed. The text handed out by then is cut too:
    /// an engine holds back what may become a stop string.
    fn find_stop(&mut self, before: usize, sampling: &Sampling) {
        let found = sampling.stop.iter().filter_map(|stop| {
            let mut from = before.saturating_sub(stop.len() - 1);
            while !self.text.is_char_boundary(from) {
                from -= 1;
            }
            self.text[from..]
                .find(stop.as_str())
                .map(|at| (from + at, stop))
        });
        let Some((start, stop)) = found.min_by_key(|(at, _)| *at) else {
            return;
        };
        let cut = if sampling.keeps_stop {
            start + stop.len()
        } else {
            start
        };
        self.text.truncate(cut);
        for end in &mut self.ends {
            *end = cut.min(*end);
        }
        self.finish = Some(Finish::StopText(stop.clone()));
    }

    fn settle(self) -> Plan {
        Plan {
            tokens: self.tokens.into(),
            text: self.text,
            ends: self.ends,
            finish: self.finish.unwrap_or(Finish::Length),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fields::Fields;
    use super::*;
    use crate::text::encode;

    fn sampling(body: &serde_json::Value) -> Sampling {
        let fields = Fields::of_body(body).expect("an object");
        Sampling::read(fields, None, 8).expect("valid")
    }

    fn whole(plan: &Plan) -> &str {
        plan.text(0..plan.len())
    }

    #[test]
    fn a_stop_string_cuts_the_text_before_it_wherever_tokens_are_cut() {
        let prompt = encode("Go");
        let free = Plan::write(&Voice::Plain, &prompt, &sampling(&json!({})), 0, 500);
        let stop = &whole(&free)[20..26];
        let cut = Plan::write(
            &Voice::Plain,
            &prompt,
            &sampling(&json!({"stop": [stop, "\u{1}"]})),
            0,
            500,
        );
        let first = whole(&free).find(stop).expect("taken from it");
        assert_eq!(whole(&cut), &whole(&free)[..first]);
        assert_eq!(cut.finish, Finish::StopText(stop.to_owned()));
        let kept = sampling(&json!({"stop": stop, "include_stop_str_in_output": true}));
        assert_eq!(
            whole(&Plan::write(&Voice::Plain, &prompt, &kept, 0, 500)),
            &whole(&free)[..first + stop.len()]
        );
    }

    #[test]
    fn pieces_add_up_to_the_whole() {
        let plan = Plan::write(
            &Voice::Plain,
            &encode("Go"),
            &sampling(&json!({"max_tokens": 40})),
            0,
            500,
        );
        let pieces: String = (0..plan.len()).map(|at| plan.text(at..at + 1)).collect();
        assert_eq!(pieces, whole(&plan));
    }

    #[test]
    fn limits_end_an_answer() {
        let prompt = encode("Go");
        let short = Plan::write(
            &Voice::Plain,
            &prompt,
            &sampling(&json!({"max_tokens": 5, "ignore_eos": true})),
            0,
            500,
        );
        assert_eq!((short.len(), &short.finish), (5, &Finish::Length));
        let clipped = Plan::write(
            &Voice::Plain,
            &prompt,
            &sampling(&json!({"max_tokens": 500, "ignore_eos": true})),
            0,
            7,
        );
        assert_eq!(clipped.len(), 7);
        let long = Plan::write(
            &Voice::Plain,
            &prompt,
            &sampling(&json!({"min_tokens": 300})),
            0,
            5_000,
        );
        assert!(long.len() > 300 && long.finish == Finish::End);
        let token = short.tokens[2];
        let stopped = Plan::write(
            &Voice::Plain,
            &prompt,
            &sampling(&json!({"stop_token_ids": [token]})),
            0,
            500,
        );
        assert_eq!(stopped.finish, Finish::StopToken(token));
    }

    #[test]
    fn sampled_choices_differ_and_greedy_ones_do_not() {
        let plan = |choice, temperature: f64| {
            Plan::write(
                &Voice::Plain,
                &encode("Go"),
                &sampling(&json!({"temperature": temperature})),
                choice,
                500,
            )
            .tokens
        };
        assert_ne!(plan(0, 1.0), plan(1, 1.0));
        assert_eq!(plan(0, 0.0), plan(1, 0.0));
    }
}

//! What the checks ask, and what must come of it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::super::talk::Answer;
use super::super::{MODEL, prompts};
use super::run::Bench;

pub(super) const COMPLETIONS: &str = "/v1/completions";
pub(super) const MAX_TOKENS: u32 = 16;
/// Several blocks, and some tokens of another one.
const PROMPT_TOKENS: usize = 200;

/// A prompt that no engine has seen, with the answer of an engine alone.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// A greedy completion that does not end by itself.
    pub(super) body: Value,
    whole: Answer,
}

impl Asked {
    /// Asks the prefill engine for the whole answer; the decode engine knows nothing of the prompt.
    pub(super) fn new(bench: &Bench, number: u64, max_tokens: u32) -> Result<Self> {
        let mut body = body(number);
        body["max_tokens"] = max_tokens.into();
        let whole = bench.prefill.peer().ask(COMPLETIONS, &body);
        let whole = whole.context("from the prefill engine alone")?;
        ensure!(
            whole.token_ids.len() == max_tokens as usize,
            "{max_tokens} tokens are wanted: {whole:?}"
        );
        Ok(Self { body, whole })
    }

    /// The same for another name of the model.
    pub(super) fn of_model(mut self, model: &str) -> Self {
        self.body["model"] = model.into();
        self
    }

    /// That an answer is the whole one, token by token. Of a character whose end is missing vLLM shows nothing; others a mark.
    pub(super) fn is_answered_by(&self, answer: &Answer) -> Result<()> {
        let essence = |answer: &Answer| {
            let Answer {
                text,
                finish_reason,
                token_ids,
                usage,
                ..
            } = answer.clone();
            let counts = ["prompt_tokens", "completion_tokens"].map(|name| usage[name].clone());
            let shown = text
                .trim_end_matches(char::REPLACEMENT_CHARACTER)
                .to_owned();
            (shown, finish_reason, token_ids, counts)
        };
        ensure!(
            essence(&self.whole) == essence(answer),
            "for {}\n  alone:   {:?}\n  gateway: {answer:?}",
            self.body,
            self.whole
        );
        Ok(())
    }
}

/// A greedy completion of a prompt that shares nothing with others.
pub(super) fn body(number: u64) -> Value {
    json!({
        "model": MODEL,
        "prompt": prompts::random(number, PROMPT_TOKENS),
        "max_tokens": MAX_TOKENS,
        "temperature": 0,
        "ignore_eos": true,
        "return_token_ids": true,
    })
}

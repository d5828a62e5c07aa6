//! Tokens in, tokens out.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::super::checks::{CHAT, COMPLETIONS, chat as ask, streamed as as_stream};
use super::super::talk::Answer;
use super::super::{BY_TOKENS, MODEL, prompts};
use super::bench::Bench;

const QUESTIONS: [&str; 5] = [
    "Name three rivers.",
    "Wie spät ist es in Zürich?",
    "写一首关于秋天的诗",
    "emoji 🦀🦀 and a \"quote\" \\ with \n a new line",
    "<|im_end|> within",
];
const MAX_TOKENS: u32 = 24;
pub(super) const PROMPTS: u64 = 20;
const PROMPT_TOKENS: usize = 70;
const ANSWER_TOKENS: u32 = 8;

/// The engine renders, tokenizes and detokenizes by itself; by tokens the gateway does.
pub(super) fn chat(bench: &Bench) -> Result<String> {
    for question in QUESTIONS {
        let direct = bench
            .subject
            .peer()
            .ask(CHAT, &unreasoned(question, MODEL))?;
        let through = bench
            .gateway
            .peer
            .ask(CHAT, &unreasoned(question, BY_TOKENS));
        let through = through.with_context(|| format!("by tokens, of {question}"))?;
        ensure!(
            essence(&direct) == essence(&through),
            "for {question}\n  engine:    {direct:?}\n  by tokens: {through:?}"
        );
    }
    Ok(format!("{} conversations", QUESTIONS.len()))
}

/// A stream adds up to the whole answer, token by token.
pub(super) fn streamed(bench: &Bench) -> Result<String> {
    for question in QUESTIONS {
        let mut body = unreasoned(question, BY_TOKENS);
        body["return_token_ids"] = true.into();
        let whole = bench.gateway.peer.ask(CHAT, &body)?;
        let stream = bench.gateway.peer.stream(CHAT, &as_stream(body))?;
        let added_up = stream.collect()?;
        ensure!(
            whole == added_up && !whole.token_ids.is_empty(),
            "for {question}\n  whole:  {whole:?}\n  stream: {added_up:?}"
        );
    }
    Ok(format!("{} equal", QUESTIONS.len()))
}

/// Prompts of random ids, by text and by tokens.
pub(super) fn prompts(bench: &Bench) -> Result<String> {
    for number in 0..PROMPTS {
        let direct = bench.subject.peer();
        let direct = direct.ask(COMPLETIONS, &prompt(number, MODEL))?;
        for model in [MODEL, BY_TOKENS] {
            let through = bench.gateway.peer.ask(COMPLETIONS, &prompt(number, model));
            let through = through.with_context(|| format!("prompt {number} of {model}"))?;
            ensure!(
                essence(&direct) == essence(&through),
                "prompt {number} of {model}\n  engine:  {direct:?}\n  gateway: {through:?}"
            );
        }
    }
    Ok(format!(
        "{PROMPTS} of {PROMPTS} equal by text and by tokens"
    ))
}

/// A greedy completion of random ids.
pub(super) fn prompt(number: u64, model: &str) -> Value {
    json!({
        "model": model,
        "prompt": prompts::random(number, PROMPT_TOKENS),
        "max_tokens": ANSWER_TOKENS,
        "temperature": 0,
        "ignore_eos": true,
    })
}

/// A greedy chat that need not reason.
pub(super) fn unreasoned(question: &str, model: &str) -> Value {
    let mut body = ask(question, MAX_TOKENS);
    body["model"] = model.into();
    body["chat_template_kwargs"] = json!({ "enable_thinking": false });
    body
}

/// What must be equal: text, why it ended, tokens of prompt and answer.
pub(super) fn essence(answer: &Answer) -> (String, &str, [&Value; 2]) {
    (
        format!("{}{}", answer.reasoning, answer.text),
        &answer.finish_reason,
        [
            &answer.usage["prompt_tokens"],
            &answer.usage["completion_tokens"],
        ],
    )
}

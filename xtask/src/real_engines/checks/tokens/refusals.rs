//! What no engine should ever see is refused before one is asked.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::conversations;
use crate::real_engines::BY_TOKENS;
use crate::real_engines::checks::{Bench, CHAT, COMPLETIONS};
use crate::real_engines::vllm::CONTEXT_TOKENS;

/// Beyond any vocabulary.
const NO_TOKEN: u32 = 9_999_999;
const REQUESTS: &str = "http_requests_total";

pub(super) fn check(bench: &Bench) -> Result<String> {
    let before = asked(bench)?;
    let bodies = bodies();
    for (path, body, code) in &bodies {
        let (status, reply) = bench.gateway.peer.reply(path, body)?;
        ensure!(
            status == 400 && reply["error"]["code"] == *code,
            "{code} is wanted, not {status} {reply}"
        );
    }
    let asked = asked(bench)? - before;
    ensure!(asked == 0.0, "engines were asked {asked} times");
    Ok(format!("{} refused", bodies.len()))
}

/// Requests that the engines were posted, whatever came of them.
fn asked(bench: &Bench) -> Result<f64> {
    let mut posted = 0.0;
    for engine in &bench.engines {
        let metrics = engine.metrics()?;
        let posts = metrics.labelled("method", "POST");
        let counted = posts.filter(|sample| sample.name == REQUESTS);
        posted += counted.map(|sample| sample.value).sum::<f64>();
    }
    Ok(posted)
}

fn bodies() -> Vec<(&'static str, Value, &'static str)> {
    let completion =
        |prompt: Value| json!({ "model": BY_TOKENS, "prompt": prompt, "max_tokens": 1 });
    let chat = |name: &str, value: Value| {
        let mut body = super::by_tokens(&conversations::unreasoned("Hello."));
        body[name] = value;
        body
    };
    let out = "token_out_of_vocabulary";
    vec![
        (COMPLETIONS, completion(json!([1, 2, NO_TOKEN])), out),
        (COMPLETIONS, completion(json!([[1, 2], [NO_TOKEN]])), out),
        (CHAT, chat("stop_token_ids", json!([NO_TOKEN])), out),
        (
            CHAT,
            chat("logit_bias", json!({ NO_TOKEN.to_string(): 1 })),
            out,
        ),
        (
            COMPLETIONS,
            completion(vec![1; CONTEXT_TOKENS as usize].into()),
            "context_length_exceeded",
        ),
    ]
}

//! One engine serves vLLM's route for tokens, the other has it switched off.

use anyhow::{Result, ensure};

use super::{by_tokens, conversations};
use crate::real_engines::checks::{Bench, CHAT, COMPLETIONS};
use crate::real_engines::vllm::Engine;

const TOKENS: &str = "/inference/v1/generate";
/// By chance alone, one run in 30,000 would leave an engine out.
const REQUESTS: u32 = 16;

pub(super) fn check(bench: &Bench) -> Result<String> {
    let before = bench.engines.each_ref().map(asked);
    for number in 0..REQUESTS {
        let mut body = conversations::unreasoned(&format!("{number} is a number."));
        body["max_tokens"] = 1.into();
        bench.gateway.peer.ask(CHAT, &by_tokens(&body))?;
    }
    let mut figures = Vec::new();
    for (engine, before) in bench.engines.iter().zip(before) {
        let (before, after) = (before?, asked(engine)?);
        let rise = [after[0] - before[0], after[1] - before[1]];
        let is_right = match engine.setup.scaled_out {
            true => rise[0] > 0.0 && rise[1] == 0.0,
            false => rise[0] == 0.0 && rise[1] > 0.0,
        };
        ensure!(
            is_right,
            "engine {} served {rise:?} on {TOKENS} and {COMPLETIONS}",
            engine.name
        );
        figures.push(format!("{} {rise:?}", engine.name));
    }
    Ok(figures.join(", "))
}

/// Requests that were served on the route for tokens and on completions.
fn asked(engine: &Engine) -> Result<[f64; 2]> {
    let metrics = engine.metrics()?;
    let served = |path: &str| {
        let of_path = metrics.labelled("handler", path);
        of_path
            .filter(|sample| {
                sample.name == "http_requests_total" && sample.labels.contains("status=\"2xx\"")
            })
            .map(|sample| sample.value)
            .sum()
    };
    Ok([served(TOKENS), served(COMPLETIONS)])
}

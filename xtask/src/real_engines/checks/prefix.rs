//! Requests that share a long prefix go where its KV cache is.

use std::fmt::Write as _;

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Bench, CHAT, chat};
use crate::real_engines::vllm::BLOCK_TOKENS;

const FAMILIES: [&str; 4] = ["Alder", "Birch", "Cedar", "Dogwood"];
const QUESTIONS: u32 = 5;
const HITS: &str = "vllm:prefix_cache_hits_total";

/// Each family's hits rise on exactly one engine, by more than round robin over two engines could give.
pub(super) fn check(bench: &Bench) -> Result<String> {
    let mut figures = String::new();
    for family in FAMILIES {
        let before = hits(bench)?;
        let prompt_tokens = ask_all(bench, family)?;
        let after = hits(bench)?;
        let rise = [after[0] - before[0], after[1] - before[1]];
        // Each request after the first finds all but its last blocks; round robin has two first requests.
        let round_robin = (f64::from(QUESTIONS) - 2.0) * prompt_tokens;
        write!(
            figures,
            "{family} {:?} of {prompt_tokens} tokens each; ",
            rise
        )?;
        ensure!(
            rise[0].min(rise[1]) < BLOCK_TOKENS as f64,
            "hits rose on both engines: {figures}"
        );
        ensure!(
            rise[0].max(rise[1]) > round_robin,
            "no more hits than round robin's {round_robin}: {figures}"
        );
    }
    Ok(figures.trim_end_matches("; ").to_owned())
}

fn hits(bench: &Bench) -> Result<[f64; 2]> {
    Ok([
        bench.engines[0].metrics()?.sum(HITS),
        bench.engines[1].metrics()?.sum(HITS),
    ])
}

/// Asks a family's questions one after another; the tokens of the shortest prompt.
fn ask_all(bench: &Bench, family: &str) -> Result<f64> {
    let system = json!({ "role": "system", "content": long_prefix(family) });
    let mut shortest = f64::INFINITY;
    for number in 0..QUESTIONS {
        let mut body = chat(&format!("Question {number}?"), 4);
        body["messages"] = json!([system, body["messages"][0]]);
        let answer = bench.gateway.peer.ask(CHAT, &body)?;
        shortest = shortest.min(answer.usage["prompt_tokens"].as_f64().unwrap_or(0.0));
    }
    Ok(shortest)
}

/// About a thousand tokens that no other family shares.
fn long_prefix(family: &str) -> String {
    (0..80).fold(String::new(), |text, row| {
        format!("{text}{family} row {row} holds {}. ", row * 7919 % 1000)
    })
}

//! Engines of different kinds with the same weights.

use anyhow::{Result, ensure};

use super::super::checks::COMPLETIONS;
use super::super::vllm::Engine;
use super::super::{BY_TOKENS, MODEL};
use super::bench::Bench;
use super::ids::{PROMPTS, essence, prompt};

/// Each prompt twice on each: computed, and from the cache.
pub(super) fn check(bench: &Bench, beside: &Engine) -> Result<String> {
    // Numbers that no check before has asked either of them.
    for number in 1000..1000 + PROMPTS {
        for cached in [false, true] {
            let theirs = beside.peer().ask(COMPLETIONS, &prompt(number, MODEL))?;
            let through = bench.gateway.peer.clone();
            let ours = through.ask(COMPLETIONS, &prompt(number, BY_TOKENS))?;
            ensure!(
                essence(&theirs) == essence(&ours),
                "prompt {number}, cached: {cached}\n  vLLM:    {theirs:?}\n  gateway: {ours:?}"
            );
        }
    }
    Ok(format!(
        "{PROMPTS} of {PROMPTS} equal, and again from the cache"
    ))
}

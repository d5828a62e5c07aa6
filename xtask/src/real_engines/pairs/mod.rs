//! One vLLM server computes prompts, another one answers them from the KV cache that it is handed over NIXL.

mod asked;
mod counts;
mod direct;
mod kills;
mod run;
mod through;

pub(super) use run::run;

/// The server of the prefill leg.
const PREFILL: &str = "p";
/// The server of the decode leg.
const DECODE: &str = "d";

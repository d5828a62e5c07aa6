//! `real-engines`: real inference servers on the CPU with the gateway in front of them.
//!
//! What is installed lies in a cache folder outside the checkout, `$GATEWAY_ENGINES_DIR`, and is kept from one run to
//! the next: vLLM 5.5 GB, SGLang 6.3 GB, llama.cpp 0.1 GB. At most two engines run at a time.

mod checks;
mod choice;
mod conformance;
mod gateway;
mod http;
mod install;
mod metrics;
mod pairs;
mod process;
mod prompts;
mod run;
mod serving;
mod talk;
mod vllm;

pub use choice::Choice;
pub use run::run;

/// The name that engines and the gateway serve the tiny model under.
const MODEL: &str = "tiny-qwen3";
/// The same model under a name for which the gateway looks at nothing but who holds the prompt's beginning.
const BY_PREFIX: &str = "tiny-qwen3-by-prefix";
/// The same, served by tokens: the gateway renders, tokenizes and parses.
const BY_TOKENS: &str = "tiny-qwen3-by-tokens";

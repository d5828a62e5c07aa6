//! What a configuration may say about a model beyond its files.

use super::Defaults;
use crate::text::parse::{Family, ReasoningStyle};

/// What is told of a model; what is not is read from its files.
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    /// How it writes tool calls.
    pub family: Option<Family>,
    /// How it writes reasoning.
    pub reasoning: Option<ReasoningStyle>,
    /// Prompt and answer together, in tokens.
    pub context_tokens: Option<u32>,
    /// Further tokens that end an answer.
    pub stop_token_ids: Vec<u32>,
    /// Texts that end every answer.
    pub stops: Vec<String>,
    /// Sampling where the request does not say; what is unset here comes from `generation_config.json`.
    pub defaults: Defaults,
    /// Whether requests may bring templates of their own.
    pub allows_request_templates: bool,
    /// Bytes of encoded prompts that are kept for later turns; 0 keeps none.
    pub turn_cache_bytes: Option<usize>,
}

//! The facts of one request that a decision may look at.

use crate::{BlockHash, EndpointId, Timestamp};

/// The part of a request's work that an endpoint is chosen for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Prompt and output on one engine.
    #[default]
    Unified,
    /// The prompt alone; the KV cache moves on afterwards.
    Prefill,
    /// The output alone, from KV cache that another engine made.
    Decode,
}

/// One request as the decision sees it: plain data, borrowed from the caller.
///
/// Start from [`RouteCx::new`] and set what is known; every default means "unknown" and switches off what depends on it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteCx<'a> {
    /// The model asked for.
    pub model: &'a str,
    /// The LoRA adapter asked for, by name.
    pub adapter: Option<&'a str>,
    /// The stage an endpoint is chosen for.
    pub stage: Stage,
    /// Prompt length in tokens; an estimate in text mode.
    pub prompt_tokens: u32,
    /// Expected output length in tokens.
    pub output_tokens: u32,
    /// Chained hashes of the prompt's full KV blocks, first to last.
    pub blocks: &'a [BlockHash],
    /// Prompt tokens that one entry of `blocks` stands for.
    pub block_tokens: u32,
    /// A key shared by the requests of one conversation.
    pub session: Option<u64>,
    /// Label values that an endpoint must have, as (label, value).
    pub selector: &'a [(&'a str, &'a str)],
    /// Endpoints that must not be chosen, usually because they were tried.
    pub exclude: &'a [EndpointId],
    /// The time of the decision.
    pub now: Timestamp,
}

impl<'a> RouteCx<'a> {
    /// A request for `model` of which nothing else is known.
    #[must_use]
    pub const fn new(model: &'a str, now: Timestamp) -> Self {
        Self {
            model,
            adapter: None,
            stage: Stage::Unified,
            prompt_tokens: 0,
            output_tokens: 0,
            blocks: &[],
            block_tokens: 0,
            session: None,
            selector: &[],
            exclude: &[],
            now,
        }
    }

    /// Sets the prompt: its length, its block hashes and how many tokens one of them covers.
    #[must_use]
    pub const fn prompt(mut self, tokens: u32, blocks: &'a [BlockHash], block_tokens: u32) -> Self {
        self.prompt_tokens = tokens;
        self.blocks = blocks;
        self.block_tokens = block_tokens;
        self
    }

    /// Sets the expected output length in tokens.
    #[must_use]
    pub const fn output(mut self, tokens: u32) -> Self {
        self.output_tokens = tokens;
        self
    }

    /// Asks for a LoRA adapter.
    #[must_use]
    pub const fn adapter(mut self, name: &'a str) -> Self {
        self.adapter = Some(name);
        self
    }

    /// Sets the stage.
    #[must_use]
    pub const fn stage(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }

    /// Sets the conversation's key.
    #[must_use]
    pub const fn session(mut self, key: u64) -> Self {
        self.session = Some(key);
        self
    }

    /// Restricts the choice to endpoints with these label values.
    #[must_use]
    pub const fn selector(mut self, labels: &'a [(&'a str, &'a str)]) -> Self {
        self.selector = labels;
        self
    }

    /// Rules endpoints out.
    #[must_use]
    pub const fn exclude(mut self, endpoints: &'a [EndpointId]) -> Self {
        self.exclude = endpoints;
        self
    }
}

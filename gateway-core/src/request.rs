//! The facts of one request that a decision may look at.

use crate::{BlockHash, Endpoint, EndpointId, Timestamp, pipeline::Room, residency::Keying};

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

/// What a caller wants of a request's timing. What is missing falls back to a policy's own defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Objectives {
    /// Time to the first token, in milliseconds.
    pub ttft_ms: Option<f32>,
    /// Mean time per output token after the first, in milliseconds.
    pub tpot_ms: Option<f32>,
    /// Time to the first token from which an answer is of no use any more, in milliseconds: a policy may refuse what
    /// would come later.
    pub deadline_ms: Option<f32>,
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
    /// Whether engines meant for half the work may serve it whole.
    pub any_role: bool,
    /// Prompt length in tokens; an estimate in text mode.
    pub prompt_tokens: u32,
    /// The most tokens that may come out, 0 where unknown.
    pub output_tokens: u32,
    /// Tokens expected to come out. The pipeline sets it from what was learned where the caller does not.
    pub expected_tokens: Option<f32>,
    /// What the caller wants of its timing.
    pub objectives: Objectives,
    /// How much it matters beside others: above 0 more, below 0 less.
    pub priority: i8,
    /// Whether the reply comes whole, so that nobody will see its first token.
    pub is_silent: bool,
    /// A key of whoever asks, by which output lengths are learned; 0 where unknown.
    pub caller: u64,
    /// Chained hashes of the prompt's full KV blocks, first to last.
    pub blocks: &'a [BlockHash],
    /// Prompt tokens that one entry of `blocks` stands for.
    pub block_tokens: u32,
    /// What the hashes were made from.
    pub keying: Keying,
    /// A key shared by the requests of one conversation.
    pub session: Option<u64>,
    /// Label values that an endpoint must have, as (label, value).
    pub selector: &'a [(&'a str, &'a str)],
    /// Endpoints to choose from; all of the fleet where `None`.
    pub among: Option<&'a [EndpointId]>,
    /// Where the prompt's half of a pair is chosen: the endpoint that is going to decode.
    pub partner: Option<&'a Endpoint>,
    /// Endpoints that must not be chosen, usually because they were tried.
    pub exclude: &'a [EndpointId],
    /// What counts as room, for requests that can wait for it; where `None` an endpoint has room without end.
    pub room: Option<Room<'a>>,
    /// Whether nobody could take it otherwise: a half of a pair that is wholly out may then be used all the same.
    pub(crate) is_last_resort: bool,
    /// The time of the decision.
    pub now: Timestamp,
    /// Random bits for this decision, for ties and jitter. The pipeline sets them.
    pub draw: u64,
}

impl<'a> RouteCx<'a> {
    /// A request for `model` of which nothing else is known.
    #[must_use]
    pub const fn new(model: &'a str, now: Timestamp) -> Self {
        Self {
            model,
            adapter: None,
            stage: Stage::Unified,
            any_role: false,
            prompt_tokens: 0,
            output_tokens: 0,
            expected_tokens: None,
            objectives: Objectives {
                ttft_ms: None,
                tpot_ms: None,
                deadline_ms: None,
            },
            priority: 0,
            caller: 0,
            is_silent: false,
            blocks: &[],
            block_tokens: 0,
            keying: Keying::Tokens,
            session: None,
            selector: &[],
            among: None,
            partner: None,
            exclude: &[],
            room: None,
            is_last_resort: false,
            now,
            draw: 0,
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

    /// Sets what the prompt's hashes were made from; tokens where unset.
    #[must_use]
    pub const fn keying(mut self, keying: Keying) -> Self {
        self.keying = keying;
        self
    }

    /// Sets what the caller wants of the request's timing.
    #[must_use]
    pub const fn objectives(mut self, objectives: Objectives) -> Self {
        self.objectives = objectives;
        self
    }

    /// Sets the most tokens that may come out.
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

    /// Lets engines meant for half the work serve the whole request.
    #[must_use]
    pub const fn whole(mut self) -> Self {
        self.stage = Stage::Unified;
        self.any_role = true;
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

    /// Names the endpoints to choose from.
    #[must_use]
    pub const fn among(mut self, endpoints: &'a [EndpointId]) -> Self {
        self.among = Some(endpoints);
        self
    }

    /// Names the endpoint that is going to decode what the one to be chosen computes.
    #[must_use]
    pub const fn partner(mut self, decode: &'a Endpoint) -> Self {
        self.partner = Some(decode);
        self
    }

    /// Rules endpoints out.
    #[must_use]
    pub const fn exclude(mut self, endpoints: &'a [EndpointId]) -> Self {
        self.exclude = endpoints;
        self
    }
}

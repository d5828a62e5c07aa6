//! What a router is told: endpoints and limits, already validated and in domain types.

use std::{collections::BTreeMap, fmt, time::Duration};

use gateway_core::{EndpointSpec, FleetConfig, Pipelines};
use http::HeaderValue;

use crate::{
    AdmissionSettings, Goals, Hedges, Pairs, TransferSettings,
    adapters::AdapterSettings,
    feed::{FeedSettings, KvEvents},
    wire::Target,
};

/// The engines this router can speak to. All are driven through their OpenAI routes in text mode; the kind decides where
/// health and telemetry are read and what is peculiar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// vLLM.
    Vllm,
    /// `SGLang`.
    Sglang,
    /// Text Generation Inference.
    Tgi,
    /// `MindIE`.
    Mindie,
    /// TensorRT-LLM.
    TensorRtLlm,
    /// llama.cpp's server.
    LlamaCpp,
    /// Anything else that speaks OpenAI's routes.
    #[default]
    OpenAi,
}

impl EngineKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Vllm,
        Self::Sglang,
        Self::Tgi,
        Self::Mindie,
        Self::TensorRtLlm,
        Self::LlamaCpp,
        Self::OpenAi,
    ];

    /// The name used in configuration and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::Tgi => "tgi",
            Self::Mindie => "mindie",
            Self::TensorRtLlm => "tensorrt_llm",
            Self::LlamaCpp => "llama_cpp",
            Self::OpenAi => "openai",
        }
    }
}

/// What is sent as `authorization` to an engine. Never shown.
#[derive(Clone)]
pub struct Credential(HeaderValue);

impl Credential {
    /// A bearer credential.
    ///
    /// # Errors
    /// Where `secret` holds bytes that no header may carry.
    pub fn bearer(secret: &str) -> Result<Self, http::header::InvalidHeaderValue> {
        let mut value = HeaderValue::try_from(format!("Bearer {secret}"))?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(crate) fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

/// One endpoint: what the decision knows of it and how it is reached.
#[derive(Clone, Debug)]
pub struct EndpointSettings {
    /// What the decision knows.
    pub spec: EndpointSpec,
    /// Where it listens.
    pub target: Target,
    /// What it is.
    pub kind: EngineKind,
    /// What it wants as `authorization`.
    pub credential: Option<Credential>,
    /// Where its KV events come from.
    pub kv_events: KvEvents,
    /// How it hands KV caches over; it is half of no pair where unset.
    pub transfer: Option<TransferSettings>,
}

/// How long each phase of a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// Opening a connection.
    pub connect: Duration,
    /// From sending a streamed request to the first byte of its body.
    pub first_byte: Duration,
    /// Between two chunks of a stream; finds streams that froze without closing.
    pub idle: Duration,
    /// The whole request, retries included.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            first_byte: Duration::from_secs(120),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(600),
        }
    }
}

/// When a failed attempt is tried elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetrySettings {
    /// Attempts per request, the first included.
    pub attempts: u32,
    /// Retries that each request earns the router; 0.2 lets one in five be retried.
    pub budget_ratio: f32,
    /// Retries that may be made at once without having earned them, and the most that can be saved up.
    pub budget_burst: u32,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts: 3,
            budget_ratio: 0.2,
            budget_burst: 100,
        }
    }
}

/// When a call for tokens that an engine failed is taken up by another one.
#[derive(Clone, Debug, PartialEq)]
pub struct MigrationSettings {
    /// Whether it is, where a model does not say otherwise.
    pub enabled: bool,
    /// How often each choice may be taken up.
    pub attempts: u32,
    /// Calls taken up that each request earns the router; 0.2 lets one in five be taken up.
    pub budget_ratio: f32,
    /// Calls that may be taken up at once without having earned it, and the most that can be saved up.
    pub budget_burst: u32,
    /// Whether it is for single models.
    pub models: BTreeMap<String, bool>,
}

impl MigrationSettings {
    /// Whether calls to `model` are taken up.
    #[must_use]
    pub fn covers(&self, model: &str) -> bool {
        self.attempts > 0 && *self.models.get(model).unwrap_or(&self.enabled)
    }

    /// What the budget is kept by.
    pub(crate) fn budget(&self) -> RetrySettings {
        RetrySettings {
            attempts: self.attempts,
            budget_ratio: self.budget_ratio,
            budget_burst: self.budget_burst,
        }
    }
}

/// An engine that dies takes all its streams with it: the burst is wide enough for a full one.
impl Default for MigrationSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            attempts: 3,
            budget_ratio: 0.2,
            budget_burst: 1_000,
            models: BTreeMap::new(),
        }
    }
}

/// How engines are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchSettings {
    /// Time between two health probes.
    pub probe_every: Duration,
    /// How long a probe may take. Some engines' health route runs a generation of a second.
    pub probe_timeout: Duration,
    /// Time between two telemetry readings.
    pub telemetry_every: Duration,
    /// How long a reading may take.
    pub telemetry_timeout: Duration,
    /// Time between two looks at which LoRA adapters an engine has.
    pub adapters_every: Duration,
    /// The longest pause between tries at an endpoint that fails.
    pub back_off_at_most: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self {
            probe_every: Duration::from_secs(2),
            probe_timeout: Duration::from_secs(5),
            telemetry_every: Duration::from_secs(1),
            telemetry_timeout: Duration::from_secs(2),
            adapters_every: Duration::from_secs(30),
            back_off_at_most: Duration::from_secs(15),
        }
    }
}

/// How prompts are cut into blocks in text mode, where the router sees bytes and not tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextBlocks {
    /// Bytes of one block.
    pub block_bytes: u32,
    /// Bytes that one token is taken to be.
    pub bytes_per_token: u32,
    /// Blocks hashed at most; what lies behind takes no part in prefix matching.
    pub blocks_at_most: u32,
}

impl TextBlocks {
    /// Tokens that one block is taken to be.
    #[must_use]
    pub fn block_tokens(&self) -> u32 {
        self.block_bytes / self.bytes_per_token.max(1)
    }
}

impl Default for TextBlocks {
    fn default() -> Self {
        Self {
            block_bytes: 256,
            bytes_per_token: 4,
            blocks_at_most: 2_048,
        }
    }
}

/// Everything a router is told. A reload replaces it as a whole, but for `fleet`, which is fixed at the start.
#[derive(Clone, Debug, Default)]
pub struct RouterSettings {
    /// The endpoints.
    pub endpoints: Vec<EndpointSettings>,
    /// Who decides.
    pub pipelines: Pipelines,
    /// How requests are split between two engines.
    pub pairs: Pairs,
    /// Policies of the fleet.
    pub fleet: FleetConfig,
    /// How long things may take.
    pub deadlines: Deadlines,
    /// When to try elsewhere.
    pub retry: RetrySettings,
    /// When a second engine is asked beside a silent one.
    pub hedges: Hedges,
    /// When another engine takes up what one has failed.
    pub migration: MigrationSettings,
    /// How engines are watched.
    pub watch: WatchSettings,
    /// How prompts are cut.
    pub text: TextBlocks,
    /// How KV events are taken in.
    pub feeds: FeedSettings,
    /// LoRA adapters that are loaded on demand.
    pub adapters: AdapterSettings,
    /// What requests are to achieve that do not say so themselves.
    pub goals: Goals,
    /// How requests wait that no endpoint has room for; where `None` engines queue them.
    pub admission: Option<AdmissionSettings>,
    /// Sizes.
    pub limits: SizeLimits,
}

/// The sizes a router holds to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimits {
    /// The largest request body, in bytes (used by the `tower` service, which reads bodies itself).
    pub request_bytes: usize,
    /// The largest reply that is not streamed, in bytes.
    pub reply_bytes: usize,
    /// The largest event of a stream, in bytes.
    pub event_bytes: usize,
    /// Idle connections kept per endpoint and thread.
    pub idle_connections: usize,
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self {
            request_bytes: 32 << 20,
            reply_bytes: 64 << 20,
            event_bytes: 4 << 20,
            idle_connections: 64,
        }
    }
}

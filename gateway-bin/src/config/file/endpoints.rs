//! The engines.

use std::{collections::BTreeMap, num::NonZeroU32};

use gateway_core::Role;
use gateway_router::EngineKind;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Engine, HardwareFile, KvEventsFile, Secret, TlsFile, TransferFile};

/// An engine, or a provider that speaks its language.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointFile {
    /// The name in logs and metrics; each endpoint has its own. State is kept by name over reloads.
    pub name: String,
    /// Where it listens, with `http://` or `https://`.
    pub url: Engine,
    /// Where it is asked for its health, load and models, where that is another address, as it is of MindIE.
    #[serde(default)]
    pub management: Option<Engine>,
    /// What is asked of its certificate. Without, one that the system trusts, for the host of `url`.
    #[serde(default)]
    pub tls: Option<TlsFile>,
    /// What it is; asked where unset.
    #[serde(default)]
    pub kind: Option<KindName>,
    /// Models it serves, by the names it knows; asked where unset.
    #[serde(default)]
    pub models: Option<Vec<String>>,
    /// LoRA adapters it has from the start; asked of vLLM and `SGLang`.
    #[serde(default)]
    pub adapters: Vec<String>,
    /// Its part of the work.
    #[serde(default)]
    pub role: RoleName,
    /// Free labels for selectors and preferences, such as `chip: h100`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The longest prompt plus output it takes, in tokens; no limit where unset.
    #[serde(default)]
    pub context_tokens: Option<u32>,
    /// The prompt lengths it is meant for, in tokens: least and most.
    #[serde(default)]
    pub prompt_range: Option<[u32; 2]>,
    /// A fixed share of traffic relative to others, for scorers and pickers that look at it; 1 where unset.
    #[serde(default)]
    pub weight: Option<f32>,
    /// What it runs on, from which its speed is guessed until it is learned.
    #[serde(default)]
    pub hardware: Option<HardwareFile>,
    /// What it wants as `Authorization: Bearer`.
    #[serde(default)]
    pub credential: Option<Secret>,
    /// Where its KV events come from: `auto` asks vLLM, `SGLang` and TensorRT-LLM, `off` does without, a
    /// map says where.
    #[serde(default)]
    pub kv_events: KvEventsFile,
    /// How it hands KV caches over to, or takes them over from, others; it is half of no pair where unset.
    #[serde(default)]
    pub transfer: Option<TransferFile>,
    /// Data-parallel ranks of a vLLM or `SGLang` server, each an endpoint of its own with a name like `name/0`. With one,
    /// or where unset, the server spreads requests itself.
    #[serde(default)]
    pub data_parallel_ranks: Option<NonZeroU32>,
}

/// The engines that are known.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KindName {
    /// vLLM.
    Vllm,
    /// `SGLang`.
    Sglang,
    /// Text Generation Inference.
    Tgi,
    /// `MindIE`.
    Mindie,
    /// TensorRT-LLM.
    TensorrtLlm,
    /// llama.cpp's server.
    LlamaCpp,
    /// Anything else with OpenAI's routes.
    #[serde(rename = "openai")]
    OpenAi,
}

impl From<KindName> for EngineKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Vllm => Self::Vllm,
            KindName::Sglang => Self::Sglang,
            KindName::Tgi => Self::Tgi,
            KindName::Mindie => Self::Mindie,
            KindName::TensorrtLlm => Self::TensorRtLlm,
            KindName::LlamaCpp => Self::LlamaCpp,
            KindName::OpenAi => Self::OpenAi,
        }
    }
}

/// An endpoint's part of the work.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleName {
    /// Whole requests.
    #[default]
    Unified,
    /// Prefill only.
    Prefill,
    /// Decode only.
    Decode,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Unified => Self::Unified,
            RoleName::Prefill => Self::Prefill,
            RoleName::Decode => Self::Decode,
        }
    }
}

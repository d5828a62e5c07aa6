//! Prefill on one engine, decode on another.

use gateway_core::KvDescriptor;
use gateway_router::{Fallback, TransferSettings, proto::engines::transfer::Connector};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Span;

/// How a model's requests are split between a prefill and a decode engine. When they are is said by `split` of its
/// pipeline.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PairsFile {
    /// What becomes of a request that no pair can serve, or whose hand-over fails before anything was shown; `single_phase`
    /// where unset.
    pub fallback: Option<FallbackName>,
    /// From sending the prefill leg to the end of its answer; `60s` where unset.
    pub prefill: Option<Span>,
    /// From sending the decode leg to its first byte; `30s` where unset. Legs that are sent at once wait for each other, and
    /// have both times added up.
    pub decode: Option<Span>,
    /// How long a decode engine may take to its first token after its caller has left, before it is cut off; `5s` where
    /// unset.
    pub grace: Option<Span>,
}

/// What follows a pair that fails.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FallbackName {
    /// The request is served whole, once, by an engine that decodes or does everything; where only one role is left, by
    /// that one.
    SinglePhase,
    /// The request is served whole, once, by an engine that does everything.
    CombinedPool,
    /// The request fails.
    Never,
}

impl From<FallbackName> for Fallback {
    fn from(name: FallbackName) -> Self {
        match name {
            FallbackName::SinglePhase => Self::SinglePhase,
            FallbackName::CombinedPool => Self::CombinedPool,
            FallbackName::Never => Self::Never,
        }
    }
}

/// How an endpoint hands KV caches over. Two endpoints are a pair only where nothing that both say differs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferFile {
    /// By what.
    pub connector: ConnectorName,
    /// Where decode engines find this one when it prefills; the host of `url` where unset. For `mooncake` and `sglang`. For
    /// `mindie` where prefill engines find this one when it decodes, which must be an IPv4 address.
    #[serde(default)]
    pub bootstrap_host: Option<String>,
    /// The port there; 8998 where unset. For `mindie` the `interCommPort`, which is left out where unset.
    #[serde(default)]
    pub bootstrap_port: Option<u16>,
    /// How a block is laid out, such as `HND`.
    #[serde(default)]
    pub layout: Option<String>,
    /// The type of the cache's numbers, such as `bf16`.
    #[serde(default)]
    pub dtype: Option<String>,
    /// Tokens of one block.
    #[serde(default)]
    pub block_tokens: Option<u32>,
    /// The weights, where the model's name alone does not tell them.
    #[serde(default)]
    pub model: Option<String>,
    /// Devices that a layer is spread over, where the connector cannot deal with different numbers.
    #[serde(default)]
    pub tensor_parallel: Option<u32>,
    /// Whether it can serve a request whole although its role is half the work. Where unset, all can but SGLang's and
    /// `MindIE`'s, which are started as one half.
    #[serde(default)]
    pub serves_whole: Option<bool>,
}

/// The ways in which KV caches move.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorName {
    /// vLLM's `NixlConnector`.
    Nixl,
    /// vLLM's `MooncakeConnector`.
    Mooncake,
    /// SGLang's bootstrap.
    Sglang,
    /// TensorRT-LLM's `disaggregated_params`.
    Trtllm,
    /// `MindIE`'s `dmi` mode.
    Mindie,
}

impl From<ConnectorName> for Connector {
    fn from(name: ConnectorName) -> Self {
        match name {
            ConnectorName::Nixl => Self::Nixl,
            ConnectorName::Mooncake => Self::Mooncake,
            ConnectorName::Sglang => Self::Sglang,
            ConnectorName::Trtllm => Self::TrtLlm,
            ConnectorName::Mindie => Self::MindIe,
        }
    }
}

impl TransferFile {
    /// What the other half of a pair must agree on.
    #[must_use]
    pub fn descriptor(&self) -> KvDescriptor {
        KvDescriptor {
            connector: Some(Connector::from(self.connector).name().to_owned()),
            layout: self.layout.clone(),
            dtype: self.dtype.clone(),
            block_tokens: self.block_tokens,
            model: self.model.clone(),
            tensor_parallel: self.tensor_parallel,
        }
    }

    /// Whether it does its half of the work and nothing else.
    #[must_use]
    pub fn is_half(&self) -> bool {
        let usual = Connector::from(self.connector).serves_whole();
        !self.serves_whole.unwrap_or(usual)
    }
}

impl From<TransferFile> for TransferSettings {
    fn from(file: TransferFile) -> Self {
        Self {
            connector: file.connector.into(),
            bootstrap: (file.bootstrap_host, file.bootstrap_port),
        }
    }
}

//! The ways in which KV caches move.

use std::str::FromStr;

/// How two engines hand a prompt's KV cache over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connector {
    /// vLLM's `NixlConnector` (0.33): prefill, then decode with what prefill handed over.
    Nixl,
    /// vLLM's `MooncakeConnector` (0.33): both at once, joined by a transfer id.
    Mooncake,
    /// SGLang's bootstrap (0.5.23): both at once, joined by a room.
    Sglang,
    /// TensorRT-LLM's `disaggregated_params`, context first.
    TrtLlm,
    /// `MindIE`'s `dmi` mode: prefill is asked and hands over by itself, and decode answers to all together.
    MindIe,
}

impl Connector {
    /// All connectors.
    pub const ALL: [Self; 5] = [
        Self::Nixl,
        Self::Mooncake,
        Self::Sglang,
        Self::TrtLlm,
        Self::MindIe,
    ];

    /// The name used in configuration and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nixl => "nixl",
            Self::Mooncake => "mooncake",
            Self::Sglang => "sglang",
            Self::TrtLlm => "trtllm",
            Self::MindIe => "mindie",
        }
    }

    /// Whether engines that take part in it can also serve a request whole. `SGLang`'s and `MindIE`'s, started
    /// as one half, cannot.
    #[must_use]
    pub fn serves_whole(self) -> bool {
        !matches!(self, Self::Sglang | Self::MindIe)
    }

    /// Whether both legs find each other at a port of the prefill engine.
    #[must_use]
    pub fn needs_bootstrap(self) -> bool {
        matches!(self, Self::Mooncake | Self::Sglang)
    }
}

/// A connector by a name that none has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown connector `{0}`; known: nixl, mooncake, sglang, trtllm, mindie")]
pub struct UnknownConnector(String);

impl FromStr for Connector {
    type Err = UnknownConnector;

    fn from_str(name: &str) -> Result<Self, UnknownConnector> {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        found.ok_or_else(|| UnknownConnector(name.to_owned()))
    }
}

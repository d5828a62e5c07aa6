//! How pairs of engines work together.

use std::{collections::HashMap, time::Duration};

use gateway_proto::engines::transfer::Connector;

/// What becomes of a request that no pair can serve, or whose hand-over failed before anything was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// It is served whole, once: by those that decode, by engines that do everything, or with neither there by those that
    /// prefill.
    #[default]
    SinglePhase,
    /// It is served whole, once, by engines that do everything and by no others.
    CombinedPool,
    /// It fails.
    Never,
}

/// How the requests of a model are split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairSettings {
    /// What is done where a pair fails.
    pub fallback: Fallback,
    /// From sending the prefill leg to the end of its answer.
    pub prefill: Duration,
    /// From sending the decode leg to its first byte. Legs that are sent at once wait for each other, and have both times
    /// added up.
    pub decode: Duration,
    /// How long a decode engine may take to its first token after its caller has left. Torn down in the middle of a
    /// hand-over, engines have crashed and leaked.
    pub grace: Duration,
}

impl Default for PairSettings {
    fn default() -> Self {
        Self {
            fallback: Fallback::SinglePhase,
            prefill: Duration::from_secs(60),
            decode: Duration::from_secs(30),
            grace: Duration::from_secs(5),
        }
    }
}

/// How requests are split, by model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// For models without settings of their own.
    pub general: PairSettings,
    /// By model.
    pub models: HashMap<String, PairSettings>,
}

impl Pairs {
    /// The settings of `model`.
    #[must_use]
    pub fn of(&self, model: &str) -> PairSettings {
        self.models.get(model).copied().unwrap_or(self.general)
    }
}

/// How an endpoint hands KV caches over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferSettings {
    /// By what; two endpoints with different connectors are never a pair.
    pub connector: Connector,
    /// Where decode engines find this one when it prefills: host and port. The endpoint's own host, and the engine's
    /// usual port, where unset.
    pub bootstrap: (Option<String>, Option<u16>),
}

impl TransferSettings {
    /// By `connector`, with the rest as usual.
    #[must_use]
    pub fn new(connector: Connector) -> Self {
        Self {
            connector,
            bootstrap: (None, None),
        }
    }
}

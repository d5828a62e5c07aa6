//! How an engine takes part in pairs.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// An engine's part in prefill-decode pairs. All times are the model's, see
/// [`SimConfig::time_scale`](crate::engine::SimConfig::time_scale).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransferConfig {
    /// Which part it plays. Only the surfaces of `SGLang` and MindIE ask; with the others, each request says so.
    pub role: TransferRole,
    /// How vLLM's surface hands KV over.
    pub connector: Connector,
    /// Where the side channel or the bootstrap server listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Milliseconds for which a prefill engine holds blocks that nobody fetches: NIXL 30,000.
    pub lease_ms: u64,
    /// Milliseconds of the first contact between two engines.
    pub handshake_ms: u64,
    /// Milliseconds after which a first contact that gets no answer has failed.
    pub handshake_limit_ms: u64,
    /// Milliseconds that a leg waits for its partner: `SGLang` 300,000, Mooncake 480,000.
    pub wait_ms: u64,
    /// Milliseconds after which a decode engine notices that its prefill engine is dead: `SGLang` 10,000.
    pub heartbeat_ms: u64,
    /// Tokens whose KV goes over in a second.
    pub tokens_per_second: u32,
    /// Whether a decode engine of vLLM computes a prompt whose KV did not come (`kv_load_failure_policy` `recompute`), rather
    /// than fail the request.
    pub recomputes: bool,
}

/// The part of an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferRole {
    /// Either, as the request says.
    #[default]
    Any,
    /// It computes prompts for others.
    Prefill,
    /// It answers with KV that others computed.
    Decode,
}

/// The connectors of vLLM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Connector {
    /// One leg after the other; the first one's answer says where the KV is.
    #[default]
    Nixl,
    /// Both legs at once, under a name that the router makes up.
    Mooncake,
}

impl Default for TransferConfig {
    fn default() -> Self {
        Self {
            role: TransferRole::Any,
            connector: Connector::Nixl,
            listen: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            lease_ms: 30_000,
            handshake_ms: 20,
            handshake_limit_ms: 5_000,
            wait_ms: 300_000,
            heartbeat_ms: 10_000,
            tokens_per_second: 500_000,
            recomputes: false,
        }
    }
}

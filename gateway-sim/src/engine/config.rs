//! What a simulated engine is started with.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::flavour::Flavour;
use super::transfer::TransferConfig;
use crate::model::{ChipProfile, EngineConfig};

/// One engine: where it listens, what it serves, how fast it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where health, load and models are asked for, as on `MindIE`'s management port, and then not at `listen`.
    #[serde(default)]
    pub management: Option<SocketAddr>,
    /// The names of the model; replies carry the first, whichever was asked for.
    pub models: Vec<String>,
    /// LoRA adapters, served under their names as models whose parent is the first model.
    #[serde(default)]
    pub adapters: Vec<String>,
    /// Whose HTTP surface it has.
    #[serde(default)]
    pub flavour: Flavour,
    /// Whether events of `SGLang`'s `/generate` have only what is new, as with `--incremental-streaming-output`.
    #[serde(default)]
    pub incremental_streams: bool,
    /// Chip, cache and limits.
    pub engine: EngineConfig,
    /// Seconds of the model in a second of wall time: 10 runs everything ten times as fast.
    pub time_scale: f64,
    /// With a key, every route below `/v1` and `/inference` asks for it.
    #[serde(default)]
    pub api_key: Option<String>,
    /// Requests that may wait before further ones get 503; none for no limit, as in vLLM.
    #[serde(default)]
    pub max_queued_requests: Option<u32>,
    /// KV events, none for none. TensorRT-LLM's surface keeps them, as many as `buffer_steps`, until they are asked for; the
    /// others publish. Of several data-parallel ranks, each publishes on the port of the one before plus one.
    #[serde(default)]
    pub kv_events: Option<KvEventsConfig>,
    /// The part in prefill-decode pairs; none for an engine that takes no notice of them.
    #[serde(default)]
    pub transfer: Option<TransferConfig>,
    /// Adapters that may be loaded at once, as the metrics page tells.
    #[serde(default = "most_adapters")]
    pub max_adapters: u32,
    /// Data-parallel ranks, each with a scheduler and a cache of its own.
    #[serde(default = "one_rank")]
    pub dp_ranks: u32,
    /// Bytes a request body may have.
    pub max_body_bytes: usize,
    /// Open connections; further ones are closed at once.
    pub max_connections: usize,
    /// Decides the choices of faults that strike with a probability.
    pub seed: u64,
}

/// Where and how KV events are published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KvEventsConfig {
    /// Where the publisher binds, port 0 taking a free one, or what it connects to.
    pub publish: SocketAddr,
    /// Whether the publisher connects to a subscriber that binds, as vLLM does with an address that is no wildcard.
    #[serde(default)]
    pub connect: bool,
    /// Where missed batches can be asked for; none for no replay.
    pub replay: Option<SocketAddr>,
    /// The first frame of each message.
    pub topic: String,
    /// How events are written.
    pub form: EventForm,
    /// How blocks are named.
    #[serde(default)]
    pub hashes: HashForm,
    /// Batches kept for replay.
    pub buffer_steps: usize,
    /// Batches that may wait for the publisher before further ones are dropped, which leaves a gap in the sequence.
    pub max_queue: usize,
}

/// The two encodings of one event in the history of vLLM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventForm {
    /// A map with the key `type`, from vLLM 0.24 on.
    #[default]
    Map,
    /// An array that starts with the type, up to vLLM 0.23.
    Array,
}

/// The names of blocks on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashForm {
    /// Unsigned numbers of 64 bits, as vLLM's default.
    #[default]
    Unsigned,
    /// Signed numbers of 64 bits, as `SGLang`'s.
    Signed,
    /// Digests of 32 bytes that end in the number, as vLLM without `VLLM_KV_EVENTS_USE_INT_BLOCK_HASHES`.
    Raw,
}

impl SimConfig {
    /// An engine for `model` on `chip`, on a free loopback port, in real time, without key, limits or KV events.
    #[must_use]
    pub fn new(model: impl Into<String>, chip: ChipProfile) -> Self {
        Self {
            listen: free_loopback_port(),
            management: None,
            models: vec![model.into()],
            adapters: Vec::new(),
            flavour: Flavour::Vllm,
            incremental_streams: false,
            engine: EngineConfig::for_chip(chip),
            time_scale: 1.0,
            api_key: None,
            max_queued_requests: None,
            kv_events: None,
            transfer: None,
            max_adapters: most_adapters(),
            dp_ranks: 1,
            max_body_bytes: 32 << 20,
            max_connections: 4_096,
            seed: 0,
        }
    }
}

impl KvEventsConfig {
    /// Events of `model` in map form on free loopback ports, with replay of 10,000 batches.
    #[must_use]
    pub fn new(model: &str) -> Self {
        Self {
            publish: free_loopback_port(),
            connect: false,
            replay: Some(free_loopback_port()),
            topic: format!("kv@localhost@{model}"),
            form: EventForm::Map,
            hashes: HashForm::Unsigned,
            buffer_steps: 10_000,
            max_queue: 10_000,
        }
    }

    /// What a data-parallel rank publishes: on the ports plus its number, where they are not free ones.
    pub(super) fn of_rank(&self, rank: u32) -> Self {
        let moved = |addr: SocketAddr| {
            let offset = u16::try_from(rank).unwrap_or(u16::MAX);
            let port = match addr.port() {
                0 => 0,
                port => port.saturating_add(offset),
            };
            SocketAddr::new(addr.ip(), port)
        };
        let publish = match self.connect {
            true => self.publish,
            false => moved(self.publish),
        };
        Self {
            publish,
            replay: self.replay.map(moved),
            ..self.clone()
        }
    }
}

const fn most_adapters() -> u32 {
    4
}

const fn one_rank() -> u32 {
    1
}

const fn free_loopback_port() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
}

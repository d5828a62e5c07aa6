//! What a router is told about KV events.

use std::time::Duration;

use super::FeedAddress;

/// The most data-parallel ranks of one endpoint.
pub const RANKS_AT_MOST: u32 = 64;

/// Where an endpoint's KV events come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KvEvents {
    /// Nowhere: what it holds is guessed from what it was sent.
    Off,
    /// The engine is asked: vLLM at `/kv_event_sources` (0.31 on), `SGLang` at `/server_info`, TensorRT-LLM for the events
    /// themselves at `/kv_cache_events`. Where it names none, as [`KvEvents::Off`].
    ///
    /// TensorRT-LLM's events are gone once somebody has asked, and do not tell adapters and salts apart: where another
    /// router asks too, or adapters are served, do without.
    #[default]
    Auto,
    /// From here.
    At(FeedSpec),
}

/// A feed as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSpec {
    /// Where the engine publishes, or with `bind` where this router listens. Rank `r` has this port plus `r`.
    pub address: FeedAddress,
    /// Where the engine answers requests for missed batches; rank `r` at this port plus `r`. Without it a gap cannot be
    /// filled.
    pub replay: Option<FeedAddress>,
    /// The topic: what the first frame begins with where this router connects, what it is where it listens. Empty is any.
    pub topic: String,
    /// Data-parallel ranks, each a publisher of its own; at least 1, at most [`RANKS_AT_MOST`].
    pub ranks: u32,
    /// Whether this router listens and engines connect. Endpoints may then share an address where their topics differ.
    pub bind: bool,
}

impl FeedSpec {
    /// A feed that is connected to, of one rank, with any topic and without replay.
    #[must_use]
    pub fn new(address: FeedAddress) -> Self {
        Self {
            address,
            replay: None,
            topic: String::new(),
            ranks: 1,
            bind: false,
        }
    }

    /// One source per rank. "Every interface" is the engine's `host`, but for an address to listen at. Ranks past the last
    /// port are left out.
    pub(super) fn sources(&self, host: &str) -> Vec<FeedSource> {
        let ranks = 0..self.ranks.clamp(1, RANKS_AT_MOST);
        ranks
            .filter_map(|rank| {
                let publish = self.address.of_rank(rank)?;
                let replay = self.replay.as_ref().and_then(|base| base.of_rank(rank));
                Some(FeedSource {
                    rank,
                    publish: if self.bind {
                        publish
                    } else {
                        publish.reachable_at(host)
                    },
                    replay: replay.map(|address| address.reachable_at(host)),
                    topic: self.topic.clone(),
                    bind: self.bind,
                })
            })
            .collect()
    }
}

/// One publisher: an endpoint's data-parallel rank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSource {
    /// The rank.
    pub rank: u32,
    /// Where it publishes, or where this router listens for it.
    pub publish: FeedAddress,
    /// Where it answers requests for missed batches.
    pub replay: Option<FeedAddress>,
    /// Its topic.
    pub topic: String,
    /// Whether this router listens.
    pub bind: bool,
}

/// What holds for all feeds of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedSettings {
    /// Tokens of one block of the router's own, for prompts that come as token ids. Need not be any engine's block size.
    pub block_tokens: u32,
    /// The lag from which on a feed is trusted less.
    pub lag_at_most: Duration,
    /// How long connecting, and each answer to a replay, may take.
    pub patience: Duration,
    /// The longest pause between two tries to connect.
    pub back_off_at_most: Duration,
    /// Time between two questions to an engine that names no source.
    pub discover_every: Duration,
    /// Time between two questions to an engine that keeps its events until it is asked.
    pub poll_every: Duration,
}

impl Default for FeedSettings {
    fn default() -> Self {
        Self {
            block_tokens: 16,
            lag_at_most: Duration::from_secs(2),
            patience: Duration::from_secs(5),
            back_off_at_most: Duration::from_secs(5),
            discover_every: Duration::from_secs(60),
            poll_every: Duration::from_millis(100),
        }
    }
}

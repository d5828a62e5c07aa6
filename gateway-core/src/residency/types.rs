//! Plain data of the residency.

use std::time::Duration;

use super::shadow::NodeRef;
use crate::{
    EndpointId,
    prefix::{PrefixIndexConfig, PrefixStats},
};

/// Where an engine keeps a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// The accelerator's memory.
    Device,
    /// The host's memory.
    Host,
    /// A disk or a remote store.
    Disk,
}

impl Tier {
    /// All tiers, fastest first.
    pub const ALL: [Self; 3] = [Self::Device, Self::Host, Self::Disk];

    /// The tier's place in [`ALL`](Self::ALL).
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// How good an endpoint's events are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Trust {
    /// The feed is complete and timely: events override history.
    Exact,
    /// The feed lags or had gaps: events and history both count.
    Degraded,
    /// No feed: history alone.
    #[default]
    Fallback,
}

/// What a prompt's hashes were made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keying {
    /// The engine's own tokens: events speak of the same hashes.
    Tokens,
    /// The text's bytes: no event can ever confirm them.
    Bytes,
}

/// How much KV cache an engine's device has room for, and how much of it a block of this router's own takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Tokens in all.
    pub tokens: u64,
    /// Tokens of a block that is keyed by tokens; 0 counts as 1.
    pub per_token_block: u32,
    /// Tokens that a block keyed by bytes is taken to be; 0 counts as 1.
    pub per_byte_block: u32,
}

impl Room {
    /// Room for so many blocks of either kind.
    #[must_use]
    pub fn of_blocks(blocks: usize) -> Self {
        Self {
            tokens: blocks as u64,
            per_token_block: 1,
            per_byte_block: 1,
        }
    }

    pub(super) fn block_tokens(&self, keying: Keying) -> u64 {
        let tokens = match keying {
            Keying::Tokens => self.per_token_block,
            Keying::Bytes => self.per_byte_block,
        };
        u64::from(tokens.max(1))
    }
}

/// Sizes and times of a [`Residency`](super::Residency).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResidencyConfig {
    /// Size of the index that holds all lanes.
    pub index: PrefixIndexConfig,
    /// How long after its first token a prompt counts without an event; an endpoint's measured lag comes on top.
    /// Default: 2 s.
    pub grace: Duration,
    /// History that was not used for so long is dropped, and so are prompts of which nothing was heard since. Default:
    /// 30 min.
    pub age_limit: Duration,
    /// Blocks of own knowledge for an endpoint whose capacity is not known. Default: 32,768.
    pub default_capacity_blocks: usize,
}

impl Default for ResidencyConfig {
    fn default() -> Self {
        Self {
            index: PrefixIndexConfig::default(),
            grace: Duration::from_secs(2),
            age_limit: Duration::from_secs(30 * 60),
            default_capacity_blocks: 32_768,
        }
    }
}

/// A prompt on its way: hand it back to [`served`](super::Residency::served) or [`failed`](super::Residency::failed).
///
/// One that is handed back twice, or too late, does nothing. One that is lost counts until the age limit.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub(super) endpoint: EndpointId,
    pub(super) end: Option<NodeRef>,
    pub(super) keying: Keying,
}

impl Claim {
    /// Where the prompt was sent.
    #[must_use]
    pub fn endpoint(&self) -> EndpointId {
        self.endpoint
    }
}

/// Sizes and counts of a [`Residency`](super::Residency).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResidencyStats {
    /// The index with all its lanes; blocks it evicted or rejected for its budget are counted there.
    pub index: PrefixStats,
    /// Pairs of an endpoint and a block in the own lanes' books, prompts on their way included.
    pub own_blocks: u64,
    /// Expected blocks that events had announced when their grace ended.
    pub confirmed: u64,
    /// Expected blocks that no event had announced by then.
    pub unconfirmed: u64,
    /// Blocks of own knowledge dropped for their age.
    pub expired: u64,
    /// Blocks of own knowledge dropped for an endpoint's capacity.
    pub evicted: u64,
    /// Blocks taken back because their attempt failed.
    pub failed: u64,
    /// Waits for events given up early because too many were open at once.
    pub dropped: u64,
}

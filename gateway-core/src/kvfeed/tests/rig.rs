//! An engine that says what it does, and a sink that remembers.

use std::collections::BTreeSet;

use crate::kvfeed::{EngineHash, FeedConfig, KvBatch, KvSink, Origin, Tier, token_seed};
use crate::{BlockHash, EndpointId, hash};

/// What a sink was told: exact, and strict about it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) held: BTreeSet<(u8, BlockHash)>,
    pub(super) clears: usize,
    /// Losses, of all or of some blocks.
    pub(super) losses: usize,
}

impl KvSink for Told {
    fn stored(&mut self, _: EndpointId, tier: Tier, _: Option<BlockHash>, blocks: &[BlockHash]) {
        for block in blocks {
            assert!(self.held.insert((tier as u8, *block)), "stored twice");
        }
    }

    fn removed(&mut self, _: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        for block in blocks {
            assert!(self.held.remove(&(tier as u8, *block)), "removed unheld");
        }
    }

    fn cleared(&mut self, _: EndpointId) {
        self.held.clear();
        self.clears += 1;
    }

    fn lost(&mut self, _: EndpointId) {
        self.held.clear();
        self.losses += 1;
    }

    fn lost_blocks(&mut self, endpoint: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        self.removed(endpoint, tier, blocks);
        self.losses += 1;
    }
}

impl Told {
    /// The blocks on the device.
    pub(super) fn device(&self) -> Vec<BlockHash> {
        let device = self.held.iter().filter(|(tier, _)| *tier == 0);
        device.map(|(_, block)| *block).collect()
    }
}

pub(super) fn config(block_tokens: u32) -> FeedConfig {
    FeedConfig {
        block_tokens,
        ..FeedConfig::default()
    }
}

/// The name that the engine gives the block which ends a prefix.
pub(super) fn engine_hash(prefix: &[u32]) -> EngineHash {
    let bytes: Vec<u8> = prefix.iter().flat_map(|id| id.to_be_bytes()).collect();
    EngineHash(hash::seed(&[b"engine", &bytes]))
}

/// The router's keys of a prompt, sorted.
pub(super) fn keys(tokens: &[u32], block_tokens: usize) -> Vec<BlockHash> {
    let mut keys = Vec::new();
    hash::hash_tokens(token_seed(b"", b""), tokens, block_tokens, &mut keys);
    keys.sort_unstable();
    keys
}

pub(super) fn origin(block_tokens: u32, parent: Option<EngineHash>, tier: Tier) -> Origin {
    Origin {
        parent,
        block_tokens,
        seed: token_seed(b"", b""),
        tier,
        group: 0,
        dense: true,
    }
}

/// Adds a store of the pages `from..` of a prompt.
pub(super) fn store(batch: &mut KvBatch, tokens: &[u32], page: usize, from: usize, tier: Tier) {
    let pages = tokens.len() / page;
    let parent = (from > 0).then(|| engine_hash(&tokens[..from * page]));
    for end in from + 1..=pages {
        batch.hashes_mut().push(engine_hash(&tokens[..end * page]));
    }
    batch
        .tokens_mut()
        .extend(&tokens[from * page..pages * page]);
    let page = u32::try_from(page).expect("a small page");
    batch.stored(origin(page, parent, tier));
}

/// A message with one store of a whole prompt on the device, published at `secs`.
pub(super) fn stored(tokens: &[u32], page: usize, secs: f64) -> KvBatch {
    let mut batch = KvBatch::new();
    batch.reset(Some(secs), Some(0));
    store(&mut batch, tokens, page, 0, Tier::Device);
    batch
}

/// A message with one removal from the device.
pub(super) fn removed(prefix: &[u32], secs: f64) -> KvBatch {
    let mut batch = KvBatch::new();
    batch.reset(Some(secs), Some(0));
    batch.hashes_mut().push(engine_hash(prefix));
    batch.removed(Tier::Device, None);
    batch
}

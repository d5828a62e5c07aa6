//! Own blocks that end inside a block of the engine: others that begin alike complete the same ones.

use std::collections::HashMap;

use super::Tier;
use super::sink::TIERS;
use crate::BlockHash;

/// How many of the engine's blocks complete each of these, by tier.
#[derive(Debug, Default)]
pub(super) struct Shared {
    counts: HashMap<BlockHash, [u32; TIERS.len()]>,
}

impl Shared {
    /// One more; true if it is the first.
    pub(super) fn gain(&mut self, key: BlockHash, tier: Tier) -> bool {
        let count = &mut self.counts.entry(key).or_default()[tier as usize];
        *count += 1;
        *count == 1
    }

    /// One less; true if it was the last.
    pub(super) fn lose(&mut self, key: BlockHash, tier: Tier) -> bool {
        let Some(counts) = self.counts.get_mut(&key) else {
            return false;
        };
        let before = counts[tier as usize];
        counts[tier as usize] = before.saturating_sub(1);
        if *counts == [0; TIERS.len()] {
            self.counts.remove(&key);
        }
        before == 1
    }

    pub(super) fn clear(&mut self) {
        self.counts.clear();
    }
}

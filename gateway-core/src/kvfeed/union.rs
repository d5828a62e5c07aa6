//! Several sources of one endpoint as one: a block is there as long as one rank holds it.

use std::collections::HashMap;

use super::sink::TIERS;
use super::{KvSink, Tier};
use crate::{BlockHash, EndpointId};

/// The most ranks of one endpoint.
pub(super) const MOST_RANKS: u16 = 64;

/// Which ranks hold each block, by tier.
#[derive(Debug, Default)]
pub(super) struct Union {
    holders: HashMap<BlockHash, [u64; TIERS.len()]>,
    changed: Vec<BlockHash>,
}

impl Union {
    /// What `rank` writes, on its way to `sink`.
    pub(super) fn rank<'a>(&'a mut self, rank: u16, sink: &'a mut dyn KvSink) -> RankSink<'a> {
        RankSink {
            union: self,
            bit: 1 << (rank % MOST_RANKS),
            sink,
        }
    }
}

/// One rank's view of the union: passes on only what changes it.
pub(super) struct RankSink<'a> {
    union: &'a mut Union,
    bit: u64,
    sink: &'a mut dyn KvSink,
}

impl KvSink for RankSink<'_> {
    fn stored(
        &mut self,
        endpoint: EndpointId,
        tier: Tier,
        parent: Option<BlockHash>,
        blocks: &[BlockHash],
    ) {
        let mut run = 0..0;
        for (at, block) in blocks.iter().enumerate() {
            let holders = self.union.holders.entry(*block).or_default();
            let holders = &mut holders[tier as usize];
            let is_new = *holders == 0;
            *holders |= self.bit;
            if !is_new {
                continue;
            }
            if at != run.end {
                pass_on(self.sink, endpoint, tier, parent, blocks, run);
                run = at..at;
            }
            run.end = at + 1;
        }
        pass_on(self.sink, endpoint, tier, parent, blocks, run);
    }

    fn removed(&mut self, endpoint: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        let Union { holders, changed } = &mut *self.union;
        changed.clear();
        for block in blocks {
            let Some(by_tier) = holders.get_mut(block) else {
                continue;
            };
            let before = by_tier[tier as usize];
            by_tier[tier as usize] = before & !self.bit;
            if before == self.bit {
                changed.push(*block);
            }
            if *by_tier == [0; TIERS.len()] {
                holders.remove(block);
            }
        }
        if !changed.is_empty() {
            self.sink.removed(endpoint, tier, changed);
        }
    }

    fn cleared(&mut self, endpoint: EndpointId) {
        self.leave(|sink, tier, blocks| sink.removed(endpoint, tier, blocks));
    }

    fn lost(&mut self, endpoint: EndpointId) {
        self.leave(|sink, tier, blocks| sink.lost_blocks(endpoint, tier, blocks));
    }
}

impl RankSink<'_> {
    /// Takes this rank off every block, and passes on by tier which ones no other rank holds.
    fn leave(&mut self, mut pass_on: impl FnMut(&mut dyn KvSink, Tier, &[BlockHash])) {
        let Union { holders, changed } = &mut *self.union;
        for tier in TIERS {
            changed.clear();
            for (block, by_tier) in holders.iter_mut() {
                let before = by_tier[tier as usize];
                by_tier[tier as usize] = before & !self.bit;
                if before == self.bit {
                    changed.push(*block);
                }
            }
            if !changed.is_empty() {
                pass_on(self.sink, tier, changed);
            }
        }
        holders.retain(|_, by_tier| *by_tier != [0; TIERS.len()]);
        // It may have been as long as the rank's whole cache.
        *changed = Vec::new();
    }
}

fn pass_on(
    sink: &mut dyn KvSink,
    endpoint: EndpointId,
    tier: Tier,
    parent: Option<BlockHash>,
    blocks: &[BlockHash],
    run: std::ops::Range<usize>,
) {
    if run.is_empty() {
        return;
    }
    let parent = match run.start {
        0 => parent,
        start => Some(blocks[start - 1]),
    };
    sink.stored(endpoint, tier, parent, &blocks[run]);
}

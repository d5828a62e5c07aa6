//! This project's prefix index.

use gateway_core::prefix::{PrefixIndex, PrefixIndexConfig, PrefixMatches};
use gateway_core::{BlockHash, EndpointId};

use super::{Query, Reader, Subject};
use crate::workload::Block;

pub struct Ours(PrefixIndex);

impl Ours {
    pub fn new() -> Self {
        Self(PrefixIndex::new(PrefixIndexConfig { budget_bytes: 512 << 20 }))
    }
}

impl Subject for Ours {
    fn store(&self, endpoint: u16, parent: Option<u64>, blocks: &[Block]) {
        let blocks: Vec<_> = blocks.iter().map(|block| BlockHash(block.chain)).collect();
        self.0.store(EndpointId(endpoint), parent.map(BlockHash), &blocks);
    }

    fn remove(&self, endpoint: u16, blocks: &[u64]) {
        let blocks: Vec<_> = blocks.iter().copied().map(BlockHash).collect();
        self.0.remove(EndpointId(endpoint), &blocks);
    }

    fn drain(&self) {}

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(OurReader { index: &self.0, matches: PrefixMatches::new() })
    }
}

struct OurReader<'a> {
    index: &'a PrefixIndex,
    matches: PrefixMatches,
}

impl Reader for OurReader<'_> {
    fn lookup(&mut self, query: &Query) -> usize {
        self.index.lookup(&query.ours, &mut self.matches);
        self.matches.iter().count()
    }

    fn scores(&mut self, query: &Query) -> Vec<(u16, u32)> {
        self.lookup(query);
        self.matches.iter().map(|(endpoint, blocks)| (endpoint.0, blocks)).collect()
    }
}

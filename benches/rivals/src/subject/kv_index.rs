//! `kv_index::ChainIndex`, with a block map for each worker as its event lanes keep them.

use std::sync::Mutex;

use kv_index::{ChainBlockMap, ChainIndex, ContentHash, SequenceHash, StoredBlock};

use super::{Query, Reader, Subject};
use crate::workload::{Block, ENDPOINTS};

pub struct KvIndex {
    index: ChainIndex,
    /// Worker number and map, by endpoint; the one writer's own.
    lanes: Mutex<Vec<(u32, ChainBlockMap)>>,
}

impl KvIndex {
    pub fn new() -> Self {
        let index = ChainIndex::new();
        let worker = |n| index.intern_worker(&format!("worker-{n}")).expect("room for every worker");
        let lanes = (0..ENDPOINTS).map(|n| (worker(n), ChainBlockMap::default())).collect();
        Self { index, lanes: Mutex::new(lanes) }
    }
}

impl Subject for KvIndex {
    fn store(&self, endpoint: u16, parent: Option<u64>, blocks: &[Block]) {
        let stored = |block: &Block| StoredBlock {
            seq_hash: SequenceHash(block.chain),
            content_hash: ContentHash(block.content),
        };
        let blocks: Vec<_> = blocks.iter().map(stored).collect();
        let (worker, map) = &mut self.lanes.lock().expect("one writer")[usize::from(endpoint)];
        self.index.apply_stored(*worker, &blocks, parent.map(SequenceHash), map).expect("a store after its parent");
    }

    fn remove(&self, endpoint: u16, blocks: &[u64]) {
        let blocks: Vec<_> = blocks.iter().copied().map(SequenceHash).collect();
        let (worker, map) = &mut self.lanes.lock().expect("one writer")[usize::from(endpoint)];
        self.index.apply_removed(*worker, &blocks, map);
    }

    fn drain(&self) {}

    fn reader(&self) -> Box<dyn Reader + '_> {
        let lanes = self.lanes.lock().expect("one writer");
        let mut endpoints = vec![0; ENDPOINTS];
        for (endpoint, (worker, _)) in lanes.iter().enumerate() {
            endpoints[*worker as usize] = endpoint as u16;
        }
        Box::new(KvReader { index: &self.index, endpoints, found: Vec::new() })
    }
}

struct KvReader<'a> {
    index: &'a ChainIndex,
    endpoints: Vec<u16>,
    found: Vec<(u32, u32)>,
}

impl Reader for KvReader<'_> {
    fn lookup(&mut self, query: &Query) -> usize {
        let found = &mut self.found;
        found.clear();
        self.index.score_into(&query.contents, |content| *content, false, |worker, blocks| found.push((worker, blocks)));
        found.len()
    }

    fn scores(&mut self, query: &Query) -> Vec<(u16, u32)> {
        self.lookup(query);
        self.found.iter().map(|&(worker, blocks)| (self.endpoints[worker as usize], blocks)).collect()
    }
}

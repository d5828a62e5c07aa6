//! `ThreadPoolIndexer<ConcurrentRadixTreeCompressed>` with one event thread; reads run on the caller's.

use std::sync::atomic::{AtomicU64, Ordering};

use dynamo_kv_router::indexer::concurrent_radix_tree_compressed::ConcurrentRadixTreeCompressed;
use dynamo_kv_router::indexer::{SyncIndexer, ThreadPoolIndexer};
use dynamo_kv_router::protocols::{
    ExternalSequenceBlockHash, KvCacheEvent, KvCacheEventData, KvCacheRemoveData, KvCacheStoreData,
    KvCacheStoredBlockData, LocalBlockHash, OverlapScores, RouterEvent,
};

use super::{Query, Reader, Subject};
use crate::workload::Block;

pub struct Dynamo {
    indexer: ThreadPoolIndexer<ConcurrentRadixTreeCompressed>,
    events: AtomicU64,
    runtime: tokio::runtime::Runtime,
}

impl Dynamo {
    pub fn new() -> Self {
        Self {
            indexer: ThreadPoolIndexer::new(ConcurrentRadixTreeCompressed::new(), 1, 16),
            events: AtomicU64::new(0),
            runtime: tokio::runtime::Builder::new_current_thread().build().expect("a runtime"),
        }
    }

    fn send(&self, endpoint: u16, data: KvCacheEventData) {
        let event_id = self.events.fetch_add(1, Ordering::Relaxed);
        let event = RouterEvent::new(u64::from(endpoint), KvCacheEvent { event_id, data, dp_rank: 0 });
        self.indexer.enqueue_event(event).expect("the indexer runs");
    }
}

impl Subject for Dynamo {
    fn store(&self, endpoint: u16, parent: Option<u64>, blocks: &[Block]) {
        let stored = |block: &Block| KvCacheStoredBlockData {
            block_hash: ExternalSequenceBlockHash(block.chain),
            tokens_hash: LocalBlockHash(block.content),
            mm_extra_info: None,
        };
        let blocks = blocks.iter().map(stored).collect();
        let parent_hash = parent.map(ExternalSequenceBlockHash);
        self.send(endpoint, KvCacheEventData::Stored(KvCacheStoreData { parent_hash, start_position: None, blocks }));
    }

    fn remove(&self, endpoint: u16, blocks: &[u64]) {
        let block_hashes = blocks.iter().copied().map(ExternalSequenceBlockHash).collect();
        self.send(endpoint, KvCacheEventData::Removed(KvCacheRemoveData { block_hashes }));
    }

    fn drain(&self) {
        self.runtime.block_on(self.indexer.flush_and_wait()).expect("the indexer runs");
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(DynamoReader(self.indexer.backend()))
    }
}

struct DynamoReader<'a>(&'a ConcurrentRadixTreeCompressed);

impl DynamoReader<'_> {
    fn matches(&self, query: &Query) -> OverlapScores {
        self.0.find_matches(&query.dynamo, false)
    }
}

impl Reader for DynamoReader<'_> {
    fn lookup(&mut self, query: &Query) -> usize {
        self.matches(query).scores.len()
    }

    fn scores(&mut self, query: &Query) -> Vec<(u16, u32)> {
        self.matches(query).scores.iter().map(|(worker, blocks)| (worker.worker_id as u16, *blocks)).collect()
    }
}

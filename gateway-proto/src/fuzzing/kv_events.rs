//! KV-cache events.

use gateway_core::kvfeed::{FeedConfig, FeedTracker, KvBatch, KvSink, Tier};
use gateway_core::{BlockHash, EndpointId};

use crate::kv_events::decode;

/// Blocks by tier, counted: none may leave that did not come.
#[derive(Default)]
struct Counts([usize; 3]);

impl KvSink for Counts {
    fn stored(&mut self, _: EndpointId, tier: Tier, _: Option<BlockHash>, blocks: &[BlockHash]) {
        self.0[tier as usize] += blocks.len();
    }

    fn removed(&mut self, _: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        assert!(self.0[tier as usize] >= blocks.len());
        self.0[tier as usize] -= blocks.len();
    }

    fn cleared(&mut self, _: EndpointId) {
        self.0 = [0; 3];
    }
}

/// Any payload gives a batch no larger than itself or an error that leaves nothing behind, and a feed survives the batch,
/// again and again.
pub fn kv_events(data: &[u8]) {
    let mut batch = KvBatch::new();
    if decode(data, &mut batch).is_err() {
        assert_eq!(batch, KvBatch::new());
        return;
    }
    // The smallest event takes two bytes, and 64 here.
    assert!(batch.weight_bytes() <= size_of::<KvBatch>() + data.len() * 96);
    for block_tokens in [1, 3, 16] {
        let config = FeedConfig {
            block_tokens,
            block_limit: 64,
            held_limit_bytes: 1 << 16,
            ..FeedConfig::default()
        };
        let mut tracker = FeedTracker::new(EndpointId(0), &config);
        let mut counts = Counts::default();
        for seq in [0, 1, 5, 6, 2] {
            let _ = tracker.live(seq, &batch, 0.0, &mut counts);
        }
        let _ = tracker.replay_ended(&mut counts);
        assert!(tracker.stats().blocks <= config.block_limit);
        tracker.reset(&mut counts);
        assert_eq!(counts.0, [0; 3]);
    }
}

//! Where a feed writes, and the tiers it writes about.

use crate::residency::{Residency, Tier};
use crate::{BlockHash, EndpointId};

/// All tiers, each at its own number.
pub(super) const TIERS: [Tier; 3] = [Tier::Device, Tier::Host, Tier::Disk];

/// Where a feed writes what an endpoint holds. Calls for one endpoint come in the order of its events.
pub trait KvSink {
    /// The tier now holds `blocks`, a stretch of one chain. `parent` is the block before them; `None` at the start of a
    /// prompt, and where the engine named blocks without saying what they follow.
    fn stored(
        &mut self,
        endpoint: EndpointId,
        tier: Tier,
        parent: Option<BlockHash>,
        blocks: &[BlockHash],
    );

    /// The tier no longer holds `blocks`, which are in no order.
    fn removed(&mut self, endpoint: EndpointId, tier: Tier, blocks: &[BlockHash]);

    /// No tier holds anything.
    fn cleared(&mut self, endpoint: EndpointId);

    /// What the feed said is void, because messages are lost: each tier may hold anything or nothing. A sink that knows
    /// nothing but what feeds say need not tell this from [`cleared`](Self::cleared).
    fn lost(&mut self, endpoint: EndpointId) {
        self.cleared(endpoint);
    }

    /// As [`lost`](Self::lost), for these blocks of one tier, which are in no order.
    fn lost_blocks(&mut self, endpoint: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        self.removed(endpoint, tier, blocks);
    }
}

impl KvSink for &Residency {
    fn stored(
        &mut self,
        endpoint: EndpointId,
        tier: Tier,
        parent: Option<BlockHash>,
        blocks: &[BlockHash],
    ) {
        Residency::stored(self, endpoint, tier, parent, blocks);
    }

    fn removed(&mut self, endpoint: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        Residency::removed(self, endpoint, tier, blocks);
    }

    fn cleared(&mut self, endpoint: EndpointId) {
        Residency::cleared(self, endpoint);
    }

    fn lost(&mut self, endpoint: EndpointId) {
        Residency::lost(self, endpoint);
    }

    fn lost_blocks(&mut self, endpoint: EndpointId, tier: Tier, blocks: &[BlockHash]) {
        Residency::lost_blocks(self, endpoint, tier, blocks);
    }
}

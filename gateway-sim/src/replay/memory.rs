//! The KV cache of one engine: device blocks, idle prefixes, and the host tier behind them.

use super::cache::{BlockCache, Slot};
use super::changes::Changes;

/// The KV cache of one engine.
///
/// Device blocks are private (held by one sequence, unknown to others), known and held, known and idle, or blank. Known
/// blocks have an id and can be found; what is evicted from among the idle goes to the host tier.
#[derive(Debug)]
pub(super) struct Memory {
    capacity: u32,
    private: u32,
    device: BlockCache,
    host: BlockCache,
    host_capacity: u32,
    pub(super) changes: Changes,
}

/// What one sequence holds.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// Known blocks, in prompt order.
    known: Vec<Slot>,
    /// Private blocks.
    private: u32,
}

impl Holding {
    /// Blocks held.
    pub(super) fn blocks(&self) -> u32 {
        self.private + u32::try_from(self.known.len()).unwrap_or(u32::MAX)
    }
}

/// What an admission got.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) holding: Holding,
    /// Leading blocks found on the device.
    pub(super) on_device: u32,
    /// Blocks after these found in host memory.
    pub(super) on_host: u32,
}

impl Memory {
    pub(super) fn new(capacity: u32, host_capacity: u32) -> Self {
        Self {
            capacity,
            private: 0,
            device: BlockCache::new(),
            host: BlockCache::new(),
            host_capacity,
            changes: Changes::default(),
        }
    }

    /// Blocks that sequences hold.
    pub(super) fn in_use(&self) -> u32 {
        self.private + self.device.held()
    }

    /// Holds `blocks` blocks for a sequence, the leading ones of `lookup` from the cache as far as they are there; or
    /// none at all where not all can be had. Where it `loads`, what follows on the host counts as found.
    pub(super) fn admit(&mut self, lookup: &[u64], blocks: u32, loads: bool) -> Option<Grant> {
        let mut known = Vec::new();
        let mut was_idle = 0;
        for slot in lookup.iter().map_while(|id| self.device.find(*id)) {
            was_idle += u32::from(self.device.is_idle(slot));
            known.push(slot);
        }
        let on_device = u32::try_from(known.len()).unwrap_or(u32::MAX);
        let needed = blocks.saturating_sub(on_device);
        if needed + was_idle > self.capacity - self.in_use() {
            return None;
        }
        known.iter().for_each(|slot| self.device.hold(*slot));
        let on_host = if loads {
            self.load(&lookup[known.len()..])
        } else {
            0
        };
        for _ in 0..needed {
            let has_taken = self.take_private();
            debug_assert!(has_taken, "the blocks were counted");
        }
        Some(Grant {
            holding: Holding {
                known,
                private: needed,
            },
            on_device,
            on_host,
        })
    }

    /// One more private block for a sequence; false where there is none.
    pub(super) fn grow(&mut self, holding: &mut Holding) -> bool {
        let has_taken = self.take_private();
        holding.private += u32::from(has_taken);
        has_taken
    }

    /// Makes private blocks findable that are computed now. A block somebody else published before stays private.
    pub(super) fn publish(&mut self, holding: &mut Holding, ids: &[u64]) {
        for &id in ids {
            if self.device.find(id).is_some() {
                continue;
            }
            holding.private -= 1;
            self.private -= 1;
            holding.known.push(self.device.insert_held(id));
            self.changes.stored.push(id);
        }
    }

    /// Gives up a sequence's blocks, the tail first, so that it is evicted before what it depends on.
    pub(super) fn release(&mut self, holding: &mut Holding) {
        self.private -= std::mem::take(&mut holding.private);
        for slot in holding.known.drain(..).rev() {
            self.device.release(slot);
        }
    }

    fn take_private(&mut self) -> bool {
        if self.private + self.device.len() >= self.capacity && !self.evict() {
            return false;
        }
        self.private += 1;
        true
    }

    fn evict(&mut self) -> bool {
        let Some(id) = self.device.pop_oldest() else {
            return false;
        };
        self.changes.removed.push(id);
        self.offload(id);
        true
    }

    fn offload(&mut self, id: u64) {
        if self.host_capacity == 0 {
            return;
        }
        if let Some(slot) = self.host.find(id) {
            self.host.touch(slot);
            return;
        }
        if self.host.len() >= self.host_capacity {
            self.changes.host_removed.extend(self.host.pop_oldest());
        }
        self.host.insert_idle(id);
        self.changes.host_stored.push(id);
    }

    /// Counts leading blocks in host memory, and marks them as used: the tail first, as with [`Memory::release`].
    fn load(&mut self, lookup: &[u64]) -> u32 {
        let found: Vec<Slot> = lookup.iter().map_while(|id| self.host.find(*id)).collect();
        found.iter().rev().for_each(|slot| self.host.touch(*slot));
        u32::try_from(found.len()).unwrap_or(u32::MAX)
    }

    /// Panics where the counts contradict what all sequences hold.
    #[cfg(test)]
    pub(super) fn check<'a>(&self, holdings: impl Iterator<Item = &'a Holding>) {
        let mut private = 0;
        let mut known = std::collections::HashSet::new();
        for holding in holdings {
            private += holding.private;
            known.extend(holding.known.iter().copied());
        }
        assert_eq!(self.private, private);
        assert_eq!(self.device.held() as usize, known.len());
        assert!(known.iter().all(|slot| !self.device.is_idle(*slot)));
        assert!(self.private + self.device.len() <= self.capacity);
        assert!(self.host.len() <= self.host_capacity);
        assert_eq!(self.host.held(), 0);
    }
}

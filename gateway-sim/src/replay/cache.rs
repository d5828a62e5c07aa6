//! Blocks known by their ids, with the idle ones in the order in which they go.

use gateway_core::IdMap;

/// The place of a block in its cache.
pub(super) type Slot = u32;

const NONE: Slot = Slot::MAX;

/// Blocks are held by sequences or idle. Idle ones form a list, least recently used first.
#[derive(Debug)]
pub(super) struct BlockCache {
    nodes: Vec<Node>,
    vacant: Vec<Slot>,
    by_id: IdMap<u64, Slot>,
    oldest: Slot,
    newest: Slot,
    idle: u32,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    id: u64,
    holders: u32,
    older: Slot,
    newer: Slot,
}

impl BlockCache {
    pub(super) fn new() -> Self {
        Self {
            nodes: Vec::new(),
            vacant: Vec::new(),
            by_id: IdMap::default(),
            oldest: NONE,
            newest: NONE,
            idle: 0,
        }
    }

    /// All blocks.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.by_id.len()).unwrap_or(u32::MAX)
    }

    /// Blocks that somebody holds.
    pub(super) fn held(&self) -> u32 {
        self.len() - self.idle
    }

    pub(super) fn find(&self, id: u64) -> Option<Slot> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn is_idle(&self, slot: Slot) -> bool {
        self.nodes[slot as usize].holders == 0
    }

    /// Adds a block with one holder. The id must be new.
    pub(super) fn insert_held(&mut self, id: u64) -> Slot {
        let node = Node {
            id,
            holders: 1,
            older: NONE,
            newer: NONE,
        };
        let slot = if let Some(slot) = self.vacant.pop() {
            self.nodes[slot as usize] = node;
            slot
        } else {
            self.nodes.push(node);
            Slot::try_from(self.nodes.len() - 1).expect("capacities are 32-bit numbers")
        };
        let before = self.by_id.insert(id, slot);
        debug_assert!(before.is_none(), "an id is inserted once");
        slot
    }

    /// Adds a block that nobody holds, as the most recently used.
    pub(super) fn insert_idle(&mut self, id: u64) {
        let slot = self.insert_held(id);
        self.release(slot);
    }

    /// One more holder.
    pub(super) fn hold(&mut self, slot: Slot) {
        if self.is_idle(slot) {
            self.unlink(slot);
        }
        self.nodes[slot as usize].holders += 1;
    }

    /// One holder less; the last one leaves the block idle, as the most recently used.
    pub(super) fn release(&mut self, slot: Slot) {
        let newest = self.newest;
        let node = &mut self.nodes[slot as usize];
        node.holders -= 1;
        if node.holders > 0 {
            return;
        }
        (node.older, node.newer) = (newest, NONE);
        match newest {
            NONE => self.oldest = slot,
            _ => self.nodes[newest as usize].newer = slot,
        }
        self.newest = slot;
        self.idle += 1;
    }

    /// Makes an idle block the most recently used.
    pub(super) fn touch(&mut self, slot: Slot) {
        self.hold(slot);
        self.release(slot);
    }

    /// Drops the idle block that was not used for longest; its id.
    pub(super) fn pop_oldest(&mut self) -> Option<u64> {
        let slot = self.oldest;
        if slot == NONE {
            return None;
        }
        self.unlink(slot);
        let id = self.nodes[slot as usize].id;
        self.by_id.remove(&id);
        self.vacant.push(slot);
        Some(id)
    }

    fn unlink(&mut self, slot: Slot) {
        let Node { older, newer, .. } = self.nodes[slot as usize];
        match older {
            NONE => self.oldest = newer,
            _ => self.nodes[older as usize].newer = newer,
        }
        match newer {
            NONE => self.newest = older,
            _ => self.nodes[newer as usize].older = older,
        }
        self.idle -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first_and_the_held_never() {
        let mut cache = BlockCache::new();
        let slots: Vec<Slot> = (1..=4).map(|id| cache.insert_held(id)).collect();
        assert_eq!(cache.pop_oldest(), None);
        slots.iter().for_each(|slot| cache.release(*slot));
        cache.touch(slots[0]);
        cache.hold(slots[2]);
        assert_eq!((cache.len(), cache.held()), (4, 1));
        assert_eq!(cache.pop_oldest(), Some(2));
        assert_eq!(cache.pop_oldest(), Some(4));
        assert_eq!(cache.pop_oldest(), Some(1));
        assert_eq!(cache.pop_oldest(), None);
        assert_eq!(cache.find(3), Some(slots[2]));
        assert_eq!(cache.find(1), None);
        cache.insert_idle(9);
        assert_eq!(cache.pop_oldest(), Some(9));
    }
}

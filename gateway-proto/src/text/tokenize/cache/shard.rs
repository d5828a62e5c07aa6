//! A part of the cache under one lock.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::node::Node;

/// Nodes by key, bounded by their weight. What was not used since the last round goes first (the clock algorithm).
#[derive(Debug, Default)]
pub(super) struct Shard {
    slots: HashMap<u64, Slot>,
    /// Every key once, in the order in which they are looked at.
    ring: VecDeque<u64>,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    node: Arc<Node>,
    used: bool,
}

impl Shard {
    pub(super) fn find(&mut self, key: u64) -> Option<Arc<Node>> {
        let slot = self.slots.get_mut(&key)?;
        slot.used = true;
        Some(slot.node.clone())
    }

    /// Puts `node` in, in place of what had its key, and returns how many had to go to keep within `limit_bytes`. The node
    /// itself must not weigh more than that.
    pub(super) fn insert(&mut self, key: u64, node: Arc<Node>, limit_bytes: usize) -> u64 {
        debug_assert!(node.weight_bytes() <= limit_bytes);
        let mut evicted = 0;
        if let Some(old) = self.slots.remove(&key) {
            self.bytes -= old.node.weight_bytes();
            self.ring.retain(|other| *other != key);
            evicted += 1;
        }
        while self.bytes + node.weight_bytes() > limit_bytes {
            evicted += u64::from(self.turn());
        }
        self.bytes += node.weight_bytes();
        self.slots.insert(key, Slot { node, used: false });
        self.ring.push_back(key);
        evicted
    }

    /// Looks at the oldest: gives it another round if it was used, else drops it and says so.
    fn turn(&mut self) -> bool {
        let key = self
            .ring
            .pop_front()
            .expect("what has weight is in the ring");
        let slot = self
            .slots
            .get_mut(&key)
            .expect("the ring holds the keys of the slots");
        if slot.used {
            slot.used = false;
            self.ring.push_back(key);
            return false;
        }
        self.bytes -= slot.node.weight_bytes();
        self.slots.remove(&key);
        true
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(serial: u64, length: usize) -> Arc<Node> {
        Arc::new(Node::new(serial, 0, &"x".repeat(length), &[]))
    }

    #[test]
    fn never_over_its_limit_and_what_is_used_stays() {
        let limit = 4 * node(0, 100).weight_bytes();
        let mut shard = Shard::default();
        assert_eq!(shard.insert(0, node(0, 100), limit), 0);
        let mut evicted = 0;
        for key in 1..100 {
            assert!(shard.find(0).is_some(), "used before each insertion");
            evicted += shard.insert(key, node(key, 100), limit);
            assert!(shard.bytes() <= limit);
        }
        assert_eq!((shard.len(), evicted), (4, 96));
        let weights: usize = shard
            .slots
            .values()
            .map(|slot| slot.node.weight_bytes())
            .sum();
        assert_eq!((shard.ring.len(), shard.bytes()), (4, weights));
    }

    #[test]
    fn another_node_with_the_same_key_takes_the_place() {
        let mut shard = Shard::default();
        shard.insert(7, node(1, 10), 10_000);
        assert_eq!(shard.insert(7, node(2, 20), 10_000), 1);
        assert_eq!(shard.find(7).map(|node| node.serial), Some(2));
        assert_eq!(
            (shard.len(), shard.bytes()),
            (1, node(2, 20).weight_bytes())
        );
        assert_eq!(shard.ring.len(), 1);
    }
}

//! The pool of KV blocks: who holds them, what may be reused, what goes first.

use std::collections::{BTreeMap, HashMap};

use gateway_core::BlockHash;

use super::KvEvent;

/// The number of a block in the pool.
pub(super) type BlockNo = u32;

/// Blocks are in one of three states: held by sequences, idle (held by nobody, but known by its hash), or blank.
#[derive(Debug)]
pub(super) struct BlockPool {
    blocks: Vec<Block>,
    capacity: u32,
    blank: Vec<BlockNo>,
    by_hash: HashMap<BlockHash, BlockNo>,
    /// Idle blocks by the time they became so; the first is evicted first.
    idle: BTreeMap<u64, BlockNo>,
    clock: u64,
    events: Vec<KvEvent>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Block {
    holders: u32,
    hash: Option<BlockHash>,
    idle_since: u64,
}

impl BlockPool {
    pub(super) fn new(capacity: u32) -> Self {
        Self {
            blocks: Vec::new(),
            capacity,
            blank: Vec::new(),
            by_hash: HashMap::new(),
            idle: BTreeMap::new(),
            clock: 0,
            events: Vec::new(),
        }
    }

    /// Blocks a new holder could get, by eviction if need be.
    pub(super) fn available(&self) -> usize {
        self.capacity as usize - self.in_use()
    }

    /// Blocks that somebody holds.
    pub(super) fn in_use(&self) -> usize {
        self.blocks.len() - self.blank.len() - self.idle.len()
    }

    pub(super) fn idle(&self) -> usize {
        self.idle.len()
    }

    /// How many of the first `hashes` are in the cache without a gap.
    pub(super) fn matching(&self, hashes: &[BlockHash]) -> usize {
        hashes
            .iter()
            .take_while(|hash| self.by_hash.contains_key(hash))
            .count()
    }

    /// Of these blocks, which must be in the cache, how many are idle.
    pub(super) fn idle_among(&self, hashes: &[BlockHash]) -> usize {
        hashes
            .iter()
            .filter(|hash| self.blocks[self.by_hash[hash] as usize].holders == 0)
            .count()
    }

    /// Holds a block that is in the cache.
    pub(super) fn hold_cached(&mut self, hash: BlockHash) -> BlockNo {
        let number = self.by_hash[&hash];
        let block = &mut self.blocks[number as usize];
        if block.holders == 0 {
            self.idle.remove(&block.idle_since);
        }
        block.holders += 1;
        number
    }

    /// Holds a block without content, evicting the block idle for longest where none is blank.
    pub(super) fn hold_blank(&mut self) -> Option<BlockNo> {
        let number = self
            .blank
            .pop()
            .or_else(|| self.fresh())
            .or_else(|| self.evict())?;
        self.blocks[number as usize].holders = 1;
        Some(number)
    }

    /// Makes a held block known by its hash. False where another block already is.
    pub(super) fn publish(&mut self, number: BlockNo, hash: BlockHash) -> bool {
        if self.by_hash.contains_key(&hash) {
            return false;
        }
        self.by_hash.insert(hash, number);
        self.blocks[number as usize].hash = Some(hash);
        true
    }

    /// Gives up a sequence's blocks, the tail first, so that it is evicted before what it depends on.
    pub(super) fn release(&mut self, numbers: &[BlockNo]) {
        for &number in numbers.iter().rev() {
            let block = &mut self.blocks[number as usize];
            block.holders -= 1;
            if block.holders > 0 {
                continue;
            }
            if block.hash.is_some() {
                self.clock += 1;
                block.idle_since = self.clock;
                self.idle.insert(self.clock, number);
            } else {
                self.blank.push(number);
            }
        }
    }

    /// Forgets every hash. Blocks that are held stay with their holders, but nobody else will find them.
    pub(super) fn clear(&mut self) {
        self.by_hash.clear();
        for block in &mut self.blocks {
            block.hash = None;
        }
        self.blank
            .extend(std::mem::take(&mut self.idle).into_values());
        self.events.push(KvEvent::Cleared);
    }

    pub(super) fn announce(&mut self, event: KvEvent) {
        self.events.push(event);
    }

    pub(super) fn take_events(&mut self) -> Vec<KvEvent> {
        std::mem::take(&mut self.events)
    }

    fn fresh(&mut self) -> Option<BlockNo> {
        let number = u32::try_from(self.blocks.len()).ok()?;
        if number >= self.capacity {
            return None;
        }
        self.blocks.push(Block::default());
        Some(number)
    }

    fn evict(&mut self) -> Option<BlockNo> {
        let (_, number) = self.idle.pop_first()?;
        let hash = self.blocks[number as usize]
            .hash
            .take()
            .expect("an idle block has a hash");
        self.by_hash.remove(&hash);
        self.events.push(KvEvent::Removed { hash });
        Some(number)
    }

    /// The sum over all blocks of how many sequences hold each.
    #[cfg(test)]
    pub(super) fn holds(&self) -> usize {
        self.blocks.iter().map(|block| block.holders as usize).sum()
    }

    /// Panics where the states of the blocks contradict each other.
    #[cfg(test)]
    pub(super) fn check(&self) {
        assert!(self.blocks.len() <= self.capacity as usize);
        let held = self.blocks.iter().filter(|block| block.holders > 0).count();
        assert_eq!(held, self.in_use());
        for number in self.idle.values() {
            let block = self.blocks[*number as usize];
            assert!(block.holders == 0 && block.hash.is_some());
        }
        for (hash, number) in &self.by_hash {
            assert_eq!(self.blocks[*number as usize].hash, Some(*hash));
        }
        let hashed = self
            .blocks
            .iter()
            .filter(|block| block.hash.is_some())
            .count();
        assert_eq!(hashed, self.by_hash.len());
    }
}

//! A shadow of one engine's cache: a radix tree of segments in the order of their use.
//!
//! A segment is a stretch of one chain; a prompt ends at the end of one. Every use moves the segments on a prompt's way
//! behind all others, its end first and its start last, so whatever follows a segment lies before it in the order of
//! use: the oldest segment is always one that nothing follows.

use super::Keying;
use crate::{BlockHash, IdMap, Timestamp};

/// The number that stands for no segment; its node ties the ends of the order of use together.
const NONE: u32 = 0;

/// A segment as seen from outside: void once the segment is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeRef {
    id: u32,
    generation: u32,
}

#[derive(Debug)]
struct Node {
    blocks: Vec<BlockHash>,
    /// What keyed the first prompt that had it.
    keying: Keying,
    generation: u32,
    parent: u32,
    children: u32,
    /// Prompts that end here and have not been settled.
    pins: u32,
    /// Stays without pins: what keys it, where it is history. Then so are all segments before it.
    history: Option<Keying>,
    used: Timestamp,
    older: u32,
    newer: u32,
}

impl Node {
    fn is_needed(&self) -> bool {
        self.pins > 0 || self.children > 0 || self.history.is_some()
    }
}

/// The tree.
#[derive(Debug)]
pub(super) struct Shadow {
    nodes: Vec<Node>,
    free: Vec<u32>,
    heads: IdMap<BlockHash, u32>,
    /// Blocks of all segments, by what keys them.
    blocks: [usize; 2],
    generation: u32,
}

impl Shadow {
    pub(super) fn new() -> Self {
        let mut shadow = Self {
            nodes: Vec::new(),
            free: Vec::new(),
            heads: IdMap::default(),
            blocks: [0; 2],
            generation: 0,
        };
        shadow.clear();
        shadow
    }

    /// Blocks of all segments.
    pub(super) fn blocks(&self) -> usize {
        self.blocks.iter().sum()
    }

    /// Blocks of the segments that `keying` keys.
    pub(super) fn blocks_by(&self, keying: Keying) -> usize {
        self.blocks[keying as usize]
    }

    /// Forgets everything; earlier references stay void.
    pub(super) fn clear(&mut self) {
        self.nodes = Vec::new();
        self.free = Vec::new();
        self.heads = IdMap::default();
        self.blocks = [0; 2];
        let tie = self.new_node(Vec::new(), Keying::Tokens, NONE, Timestamp::ZERO);
        self.nodes.push(tie);
    }

    /// Enters a prompt, counts it as used and pins its end. `None` if it has no blocks.
    pub(super) fn insert(
        &mut self,
        prompt: &[BlockHash],
        keying: Keying,
        now: Timestamp,
    ) -> Option<NodeRef> {
        let (mut end, mut rest) = (NONE, prompt);
        while let Some(head) = rest.first() {
            let Some(&id) = self.heads.get(head) else {
                end = self.add(end, rest.to_vec(), keying, now);
                break;
            };
            if self.node(id).parent != end {
                // A hash that follows two different blocks names no prefix: what comes after it means nothing.
                break;
            }
            let equal = common_blocks(&self.node(id).blocks, rest);
            end = self.split(id, equal);
            rest = &rest[equal..];
        }
        if end == NONE {
            return None;
        }
        self.touch(end, now);
        self.node_mut(end).pins += 1;
        let generation = self.node(end).generation;
        Some(NodeRef {
            id: end,
            generation,
        })
    }

    /// Takes a prompt's pin off. What nothing else needs is removed, and its blocks come to `gone`.
    pub(super) fn unpin(&mut self, end: NodeRef, gone: &mut Vec<BlockHash>) {
        if let Some(id) = self.resolve(end) {
            let node = self.node_mut(id);
            node.pins = node.pins.saturating_sub(1);
            self.prune(id, gone);
        }
    }

    /// Makes history of a pinned prompt, and takes its pin off.
    pub(super) fn keep(&mut self, end: NodeRef, keying: Keying) {
        let Some(id) = self.resolve(end) else { return };
        let node = self.node_mut(id);
        node.pins = node.pins.saturating_sub(1);
        let mut at = id;
        while at != NONE && self.node(at).history.is_none() {
            self.node_mut(at).history = Some(keying);
            at = self.node(at).parent;
        }
        self.join_parent(id);
    }

    /// The segment that goes first: when it was last used, and what keys it.
    pub(super) fn oldest(&self) -> Option<(Timestamp, Keying)> {
        let oldest = self.node(NONE).newer;
        let node = self.node(oldest);
        (oldest != NONE).then_some((node.used, node.keying))
    }

    /// Takes up to `blocks` from the tail of the segment that goes first, pinned or not; they come to `gone`.
    pub(super) fn cut_oldest(&mut self, blocks: usize, gone: &mut Vec<BlockHash>) {
        let id = self.node(NONE).newer;
        if id == NONE {
            return;
        }
        let len = self.node(id).blocks.len();
        if blocks >= len {
            // What it followed is older knowledge of the same prompt: it goes in its own turn.
            self.remove(id, gone);
            return;
        }
        gone.extend(self.node_mut(id).blocks.drain(len - blocks..));
        let keying = self.node(id).keying;
        self.blocks[keying as usize] -= blocks;
    }

    /// Forgets what is history by any of `keyings` and not needed by prompts on their way; its blocks come to `gone`.
    pub(super) fn forget_history(&mut self, keyings: &[Keying], gone: &mut Vec<BlockHash>) {
        let mut id = self.node(NONE).newer;
        while id != NONE {
            let next = self.node(id).newer;
            let node = self.node_mut(id);
            node.history = node.history.filter(|keying| !keyings.contains(keying));
            if !node.is_needed() {
                self.remove(id, gone);
            }
            id = next;
        }
    }

    fn node(&self, id: u32) -> &Node {
        &self.nodes[id as usize]
    }

    fn node_mut(&mut self, id: u32) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    fn resolve(&self, node: NodeRef) -> Option<u32> {
        let found = self.nodes.get(node.id as usize)?;
        (found.generation == node.generation).then_some(node.id)
    }

    fn new_node(
        &mut self,
        blocks: Vec<BlockHash>,
        keying: Keying,
        parent: u32,
        used: Timestamp,
    ) -> Node {
        // 0 is the generation of what is gone.
        self.generation = self.generation.wrapping_add(1).max(1);
        Node {
            blocks,
            keying,
            generation: self.generation,
            parent,
            children: 0,
            pins: 0,
            history: None,
            used,
            older: NONE,
            newer: NONE,
        }
    }

    /// A new segment that no list knows yet.
    fn allocate(
        &mut self,
        blocks: Vec<BlockHash>,
        keying: Keying,
        parent: u32,
        used: Timestamp,
    ) -> u32 {
        let node = self.new_node(blocks, keying, parent, used);
        if let Some(id) = self.free.pop() {
            *self.node_mut(id) = node;
            return id;
        }
        self.nodes.push(node);
        u32::try_from(self.nodes.len() - 1).expect("fewer segments than an engine has blocks")
    }

    fn add(&mut self, parent: u32, blocks: Vec<BlockHash>, keying: Keying, now: Timestamp) -> u32 {
        self.blocks[keying as usize] += blocks.len();
        let head = blocks[0];
        let id = self.allocate(blocks, keying, parent, now);
        self.heads.insert(head, id);
        if parent != NONE {
            self.node_mut(parent).children += 1;
        }
        self.link_after(id, NONE);
        id
    }

    /// Makes the first `keep` blocks of a segment one of their own; gives it. References go on with the rest.
    fn split(&mut self, id: u32, keep: usize) -> u32 {
        let node = self.node_mut(id);
        if keep == node.blocks.len() {
            return id;
        }
        let tail = node.blocks.split_off(keep);
        let (tail_head, blocks) = (tail[0], std::mem::replace(&mut node.blocks, tail));
        let (head, parent) = (blocks[0], node.parent);
        let (used, keying, history) = (node.used, node.keying, node.history);
        let front = self.allocate(blocks, keying, parent, used);
        self.node_mut(front).history = history;
        self.node_mut(front).children = 1;
        self.node_mut(id).parent = front;
        self.heads.insert(head, front);
        self.heads.insert(tail_head, id);
        self.link_after(front, id);
        front
    }

    /// Appends a segment to the one before it where that changes nothing but their number: conversations that grow turn
    /// by turn stay one segment.
    fn join_parent(&mut self, id: u32) {
        let node = self.node(id);
        let parent = node.parent;
        if parent == NONE || node.children > 0 || node.pins > 0 {
            return;
        }
        let before = self.node(parent);
        let goes_along = node.newer == parent && node.used == before.used;
        let is_alike =
            before.pins == 0 && before.history == node.history && before.keying == node.keying;
        if before.children == 1 && goes_along && is_alike {
            let mut blocks = Vec::new();
            self.remove(id, &mut blocks);
            let parent = self.node_mut(parent);
            let keying = parent.keying;
            let count = blocks.len();
            parent.blocks.append(&mut blocks);
            self.blocks[keying as usize] += count;
        }
    }

    /// Removes a segment that nothing follows; gives the one before it.
    fn remove(&mut self, id: u32, gone: &mut Vec<BlockHash>) -> u32 {
        self.unlink(id);
        let blocks = std::mem::take(&mut self.node_mut(id).blocks);
        let parent = self.node(id).parent;
        self.node_mut(id).generation = 0;
        self.free.push(id);
        let keying = self.node(id).keying;
        self.blocks[keying as usize] -= blocks.len();
        if self.heads.get(&blocks[0]) == Some(&id) {
            self.heads.remove(&blocks[0]);
        }
        gone.extend(blocks);
        if parent != NONE {
            self.node_mut(parent).children -= 1;
        }
        parent
    }

    /// Removes a segment that nothing needs, and those before it that then nothing needs either.
    fn prune(&mut self, mut id: u32, gone: &mut Vec<BlockHash>) {
        while id != NONE && !self.node(id).is_needed() {
            id = self.remove(id, gone);
        }
    }

    /// Moves a segment and those before it to the end of the order of use.
    fn touch(&mut self, mut id: u32, now: Timestamp) {
        while id != NONE {
            self.unlink(id);
            self.link_after(id, self.node(NONE).older);
            self.node_mut(id).used = now;
            id = self.node(id).parent;
        }
    }

    fn unlink(&mut self, id: u32) {
        let (older, newer) = (self.node(id).older, self.node(id).newer);
        self.node_mut(older).newer = newer;
        self.node_mut(newer).older = older;
    }

    fn link_after(&mut self, id: u32, older: u32) {
        let newer = self.node(older).newer;
        self.node_mut(id).older = older;
        self.node_mut(id).newer = newer;
        self.node_mut(older).newer = id;
        self.node_mut(newer).older = id;
    }
}

/// How many leading blocks two stretches share that begin with the same one. Equal hashes mean equal prefixes.
fn common_blocks(one: &[BlockHash], other: &[BlockHash]) -> usize {
    let len = one.len().min(other.len());
    if one[len - 1] == other[len - 1] {
        return len;
    }
    let (mut equal, mut differs) = (1, len);
    while differs - equal > 1 {
        let middle = equal.midpoint(differs);
        if one[middle - 1] == other[middle - 1] {
            equal = middle;
        } else {
            differs = middle;
        }
    }
    equal
}

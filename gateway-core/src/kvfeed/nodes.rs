//! All blocks of one source by their engine's hash, with what is needed to find the keys and tokens of each.

use super::EngineHash;
use super::node::{NONE, Node, Spot};
use super::spans::Spans;
use crate::{BlockHash, IdMap};

/// Words aside per node, on average, before no more are taken.
const WORDS_PER_NODE: usize = 8;

/// The blocks of one source.
#[derive(Debug)]
pub(super) struct Nodes {
    pub(super) own_tokens: usize,
    limit: usize,
    slots: Vec<Node>,
    free: Vec<u32>,
    by_hash: IdMap<u64, u32>,
    spans: Spans,
    words: Vec<u64>,
    /// Nodes that a walk has still to look at.
    pub(super) pending: Vec<u32>,
}

impl Nodes {
    /// Nothing yet; at most `limit` nodes, own blocks of `own_tokens` tokens.
    pub(super) fn new(own_tokens: usize, limit: usize) -> Self {
        Self {
            own_tokens,
            // The last number stands for no node, and offsets of words have 32 bits.
            limit: limit.min(u32::MAX as usize / WORDS_PER_NODE - 1),
            slots: Vec::new(),
            free: Vec::new(),
            by_hash: IdMap::default(),
            spans: Spans::default(),
            words: Vec::new(),
            pending: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_hash.len()
    }

    pub(super) fn find(&self, hash: EngineHash) -> Option<u32> {
        self.by_hash.get(&hash.0).copied()
    }

    pub(super) fn node(&self, at: u32) -> &Node {
        &self.slots[at as usize]
    }

    pub(super) fn node_mut(&mut self, at: u32) -> &mut Node {
        &mut self.slots[at as usize]
    }

    /// Adds a node that follows `parent`, with the keys it completes and its own tokens. `None` where the limit is reached.
    pub(super) fn insert(
        &mut self,
        hash: EngineHash,
        spot: Spot,
        parent: Option<u32>,
        keys: &[BlockHash],
        tokens: &[u32],
    ) -> Option<u32> {
        if self.len() >= self.limit {
            return None;
        }
        let mut node = Node::new(hash, spot);
        let tail = &tokens[tokens.len() - self.own_rest(&node)..];
        match (keys.len(), tail) {
            (0 | 1, []) => {}
            (0 | 1, [token]) => node.aside = *token,
            _ => node.aside = self.put_aside(keys, tail)?,
        }
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = node;
                at
            }
            None => {
                self.slots.push(node);
                u32::try_from(self.slots.len() - 1).expect("fewer than the limit")
            }
        };
        self.by_hash.insert(hash.0, at);
        if let Some(parent) = parent.filter(|_| spot.start > 0) {
            self.link(at, parent);
        }
        Some(at)
    }

    /// Drops a node that no tier holds, and every one before it that was kept only for its sake. A node that others are
    /// linked to stays.
    pub(super) fn drop_unused(&mut self, at: u32) {
        let mut next = at;
        while next != NONE {
            let node = *self.node(next);
            if node.is_held() || node.child != NONE {
                return;
            }
            self.unlink(&node);
            self.release_words(&node);
            self.by_hash.remove(&node.hash.0);
            self.free.push(next);
            next = node.parent;
        }
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.free.clear();
        self.by_hash.clear();
        self.spans.clear();
    }

    /// The keys of the own blocks that end in a node, in order.
    pub(super) fn keys(&self, at: u32, out: &mut Vec<BlockHash>) {
        let node = self.node(at);
        let completed = node.completed(self.own_tokens);
        if completed > 1 {
            let early = self.spans.at(node.aside, completed - 1);
            out.extend(early.iter().copied().map(BlockHash));
        }
        if completed > 0 {
            out.push(BlockHash(node.link().value()));
        }
    }

    /// The key of the first own block that ends in a node which has one.
    pub(super) fn first_key(&self, at: u32) -> BlockHash {
        let node = self.node(at);
        match node.completed(self.own_tokens) {
            0 | 1 => BlockHash(node.link().value()),
            _ => BlockHash(self.spans.at(node.aside, 1)[0]),
        }
    }

    /// Fills `out` with the tokens after the last own block that ended at a node or before.
    pub(super) fn tail(&self, at: u32, out: &mut Vec<u32>) {
        out.clear();
        let mut next = Some(at);
        while let Some(at) = next.take() {
            let node = self.node(at);
            let rest = self.own_rest(node);
            self.push_reversed(node, rest, out);
            if node.completed(self.own_tokens) == 0 && node.parent != NONE {
                next = Some(node.parent);
            }
        }
        out.reverse();
    }

    /// Tokens of a node's own that are after its last own block.
    fn own_rest(&self, node: &Node) -> usize {
        node.rest(self.own_tokens).min(node.len())
    }

    fn push_reversed(&self, node: &Node, rest: usize, out: &mut Vec<u32>) {
        let early = node.completed(self.own_tokens).saturating_sub(1);
        if rest == 1 && early == 0 {
            out.push(node.aside);
            return;
        }
        if rest == 0 {
            return;
        }
        let words = &self.spans.at(node.aside, early + rest.div_ceil(2))[early..];
        #[expect(clippy::cast_possible_truncation, reason = "two tokens to a word")]
        out.extend(
            (0..rest)
                .rev()
                .map(|i| (words[i / 2] >> (32 * (i % 2))) as u32),
        );
    }

    /// Keeps all keys but the last, then the tokens.
    fn put_aside(&mut self, keys: &[BlockHash], tail: &[u32]) -> Option<u32> {
        self.words.clear();
        let early = keys.len().saturating_sub(1);
        self.words.extend(keys[..early].iter().map(|key| key.0));
        self.words.extend(tail.chunks(2).map(|pair| {
            let high = pair.get(1).copied().unwrap_or(0);
            u64::from(pair[0]) | u64::from(high) << 32
        }));
        let most = self.limit.saturating_mul(WORDS_PER_NODE);
        self.spans
            .has_room(self.words.len(), most)
            .then(|| self.spans.keep(&self.words))
    }

    fn release_words(&mut self, node: &Node) {
        let (rest, early) = (
            self.own_rest(node),
            node.completed(self.own_tokens).saturating_sub(1),
        );
        if early > 0 || rest > 1 {
            self.spans.release(node.aside, early + rest.div_ceil(2));
        }
    }

    fn link(&mut self, at: u32, parent: u32) {
        let first = std::mem::replace(&mut self.node_mut(parent).child, at);
        if first != NONE {
            self.node_mut(first).prev = at;
        }
        let node = self.node_mut(at);
        node.parent = parent;
        node.next = first;
    }

    fn unlink(&mut self, node: &Node) {
        if node.parent == NONE {
            return;
        }
        if node.prev == NONE {
            self.node_mut(node.parent).child = node.next;
        } else {
            self.node_mut(node.prev).next = node.next;
        }
        if node.next != NONE {
            self.node_mut(node.next).prev = node.prev;
        }
    }
}

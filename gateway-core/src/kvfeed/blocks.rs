//! Events applied to the blocks of one source: which of the router's own blocks that makes resident, and which not.

use std::ops::Range;

use super::key::work_in;
use super::node::{LONGEST_OWN, Link, NONE, Spot};
use super::nodes::Nodes;
use super::{EngineHash, KvSink, Removed, Stored, Tier};
use crate::{BlockHash, EndpointId, hash};

/// Removals that are kept before they are written.
const FLUSH_BLOCKS: usize = 1024;

/// The blocks of one source and where what they cover is written.
#[derive(Debug)]
pub(super) struct Blocks {
    endpoint: EndpointId,
    own_tokens: usize,
    nodes: Nodes,
    /// Own blocks that left a tier and were not yet written: engines tell of one block at a time.
    gone: Vec<BlockHash>,
    gone_tier: Tier,
    tokens: Vec<u32>,
    keys: Vec<BlockHash>,
    /// Nodes that are still to be looked at.
    pending: Vec<u32>,
    /// Own blocks that the block at hand made whole.
    woken: Vec<BlockHash>,
    /// What the event at hand did.
    pub(super) done: Done,
}

/// How the blocks of an event fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// Entered into a tier.
    pub(super) stored: u64,
    /// Taken from a tier.
    pub(super) removed: u64,
    /// Stored after a block that is not known.
    pub(super) orphans: u64,
    /// Removed without being known.
    pub(super) unknown: u64,
    /// Not taken because the limit is reached.
    pub(super) refused: u64,
    /// Stored with numbers that do not fit each other.
    pub(super) malformed: u64,
}

/// A run of own blocks that one event made resident: a part of `Blocks::keys`.
struct Run {
    tier: Tier,
    /// What the first of the keys is chained to.
    link: Link,
    from: usize,
    to: usize,
}

impl Run {
    fn new(tier: Tier, link: Link) -> Self {
        Self {
            tier,
            link,
            from: 0,
            to: 0,
        }
    }
}

/// Why a block is not taken.
enum Refusal {
    /// The limit is reached.
    Full,
    /// The same hash stood for something else before.
    Differs,
}

impl Blocks {
    /// Nothing yet; own blocks of `own_tokens` tokens (1 to 4096), at most `limit` blocks of the engine.
    pub(super) fn new(endpoint: EndpointId, own_tokens: usize, limit: usize) -> Self {
        let own_tokens = own_tokens.clamp(1, LONGEST_OWN);
        Self {
            endpoint,
            own_tokens,
            nodes: Nodes::new(own_tokens, limit),
            gone: Vec::new(),
            gone_tier: Tier::Device,
            tokens: Vec::new(),
            keys: Vec::new(),
            pending: Vec::new(),
            woken: Vec::new(),
            done: Done::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self, sink: &mut dyn KvSink) {
        self.gone.clear();
        self.nodes.clear();
        sink.cleared(self.endpoint);
    }

    /// Writes what is not yet written.
    pub(super) fn flush(&mut self, sink: &mut dyn KvSink) {
        if !self.gone.is_empty() {
            sink.removed(self.endpoint, self.gone_tier, &self.gone);
            self.gone.clear();
        }
    }

    /// Enters a stretch of blocks.
    pub(super) fn stored(&mut self, event: &Stored<'_>, sink: &mut dyn KvSink) {
        self.flush(sink);
        let count = event.hashes.len();
        if event.tokens.is_empty() {
            self.named_again(event.hashes, event.origin.tier, sink);
            return;
        }
        let len = event.origin.block_tokens as usize;
        let fits = len > 0 && len <= usize::from(u16::MAX) && count * len == event.tokens.len();
        if !fits {
            self.done.malformed += count as u64;
            return;
        }
        let parent = match event.origin.parent.map(|hash| self.nodes.find(hash)) {
            Some(None) => {
                self.done.orphans += count as u64;
                return;
            }
            known => known.flatten(),
        };
        self.chain(event, parent, sink);
    }

    /// Enters blocks with their tokens behind a known parent.
    fn chain(&mut self, event: &Stored<'_>, parent: Option<u32>, sink: &mut dyn KvSink) {
        let link = parent.map_or(Link::Seed(event.origin.seed), |at| {
            self.nodes.node(at).link()
        });
        let start = self.hash_tokens(event, parent, link);
        let mut run = Run::new(event.origin.tier, link);
        let (mut before, mut begin) = (parent, start);
        for (index, &hash) in event.hashes.iter().enumerate() {
            let end = begin + event.origin.block_tokens as usize;
            match self.node_for(hash, begin..end, before, link) {
                Ok(at) => {
                    let keys = begin / self.own_tokens..end / self.own_tokens;
                    self.enter(at, keys, &mut run, sink);
                    (before, begin) = (Some(at), end);
                }
                Err(refusal) => {
                    let left = (event.hashes.len() - index) as u64;
                    match refusal {
                        Refusal::Full => self.done.refused += left,
                        Refusal::Differs => self.done.malformed += left,
                    }
                    break;
                }
            }
        }
        self.write(&run, sink);
    }

    /// Fills `keys` with those of all own blocks that end in the event, and `tokens` with the event's behind those that
    /// are left over from before; gives how many these are.
    fn hash_tokens(&mut self, event: &Stored<'_>, parent: Option<u32>, link: Link) -> usize {
        self.tokens.clear();
        if let Some(parent) = parent {
            self.nodes.tail(parent, &mut self.tokens);
        }
        let start = self.tokens.len();
        self.tokens.extend_from_slice(event.tokens);
        let len = event.origin.block_tokens as usize;
        for mark in event.marks {
            let from = start + (mark.block as usize).saturating_mul(len);
            if let Some(block) = self.tokens.get_mut(from..from + len) {
                work_in(mark.fingerprint, block);
            }
        }
        self.keys.clear();
        hash::hash_tokens(link.value(), &self.tokens, self.own_tokens, &mut self.keys);
        start
    }

    /// The node of a block whose tokens are `span` of the tokens at hand, a new one if there is none.
    fn node_for(
        &mut self,
        hash: EngineHash,
        span: Range<usize>,
        parent: Option<u32>,
        link: Link,
    ) -> Result<u32, Refusal> {
        let (start, len) = (span.start % self.own_tokens, span.len());
        let keys = &self.keys[span.start / self.own_tokens..span.end / self.own_tokens];
        // The last own block that ended up to here, in this event or before it.
        let link = match span.end / self.own_tokens {
            0 => link,
            ended => Link::Block(self.keys[ended - 1]),
        };
        if let Some(at) = self.nodes.find(hash) {
            let node = self.nodes.node(at);
            let same = node.len() == len && node.start() == start && node.link() == link;
            return if same { Ok(at) } else { Err(Refusal::Differs) };
        }
        let spot = Spot { start, len, link };
        self.nodes
            .insert(hash, spot, parent, keys, &self.tokens[span])
            .ok_or(Refusal::Full)
    }

    /// Puts a block into a tier, and with it the own blocks that are now whole there: those that end in it become part
    /// of the run, those that end behind it are written.
    fn enter(&mut self, at: u32, keys: Range<usize>, run: &mut Run, sink: &mut dyn KvSink) {
        let node = self.nodes.node_mut(at);
        if node.has(run.tier) {
            return;
        }
        node.set(run.tier);
        let (link, has_children) = (node.link(), node.child != NONE);
        self.done.stored += 1;
        if !keys.is_empty() {
            let from = keys.start + usize::from(!self.is_covered(at, run.tier));
            if from != run.to {
                self.write(run, sink);
                run.from = from;
            }
            run.to = keys.end;
        }
        if has_children {
            self.write(run, sink);
            run.from = run.to;
            let mut woken = std::mem::take(&mut self.woken);
            self.spanning(at, run.tier, &mut woken);
            for key in woken.drain(..) {
                sink.stored(self.endpoint, run.tier, link.block(), &[key]);
            }
            self.woken = woken;
        }
    }

    fn write(&self, run: &Run, sink: &mut dyn KvSink) {
        let Some(keys) = self
            .keys
            .get(run.from..run.to)
            .filter(|keys| !keys.is_empty())
        else {
            return;
        };
        let parent = match run.from {
            0 => run.link.block(),
            from => Some(self.keys[from - 1]),
        };
        sink.stored(self.endpoint, run.tier, parent, keys);
    }

    /// Enters blocks that the engine names without their tokens: it told of them before.
    fn named_again(&mut self, hashes: &[EngineHash], tier: Tier, sink: &mut dyn KvSink) {
        for &hash in hashes {
            let Some(at) = self.nodes.find(hash) else {
                self.done.orphans += 1;
                continue;
            };
            self.keys.clear();
            self.nodes.keys(at, &mut self.keys);
            let mut run = Run::new(tier, Link::Seed(0));
            self.enter(at, 0..self.keys.len(), &mut run, sink);
            self.write(&run, sink);
        }
    }

    /// Takes blocks from a tier, with every own block that they cover.
    pub(super) fn removed(&mut self, event: &Removed<'_>, sink: &mut dyn KvSink) {
        let tier = event.tier;
        if self.gone_tier != tier {
            self.flush(sink);
            self.gone_tier = tier;
        }
        for &hash in event.hashes {
            match self.nodes.find(hash) {
                Some(at) if self.nodes.node(at).has(tier) => self.leave(at, tier),
                _ => self.done.unknown += 1,
            }
            if self.gone.len() >= FLUSH_BLOCKS {
                self.flush(sink);
            }
        }
    }

    fn leave(&mut self, at: u32, tier: Tier) {
        let mut gone = std::mem::take(&mut self.gone);
        let before = gone.len();
        self.nodes.keys(at, &mut gone);
        if gone.len() > before && !self.is_covered(at, tier) {
            gone.swap_remove(before);
        }
        let node = self.nodes.node(at);
        if node.child != NONE {
            self.spanning(at, tier, &mut gone);
        }
        self.gone = gone;
        self.nodes.node_mut(at).unset(tier);
        self.nodes.drop_unused(at);
        self.done.removed += 1;
    }

    /// Whether the tokens of the first own block that ends in a node are all in the tier, if the node itself is.
    fn is_covered(&self, at: u32, tier: Tier) -> bool {
        let mut node = self.nodes.node(at);
        let mut is_first = true;
        loop {
            if node.start() == 0 || (!is_first && node.completed(self.own_tokens) > 0) {
                return true;
            }
            if node.parent == NONE {
                return false;
            }
            node = self.nodes.node(node.parent);
            is_first = false;
            if !node.has(tier) {
                return false;
            }
        }
    }

    /// Adds the keys of own blocks that begin in a node or before, end behind it, and are all in the tier.
    fn spanning(&mut self, at: u32, tier: Tier, found: &mut Vec<BlockHash>) {
        self.pending.clear();
        self.push_children(at);
        while let Some(at) = self.pending.pop() {
            let node = self.nodes.node(at);
            if !node.has(tier) {
                continue;
            }
            if node.completed(self.own_tokens) == 0 {
                self.push_children(at);
            } else if self.is_covered(at, tier) {
                found.push(self.nodes.first_key(at));
            }
        }
    }

    fn push_children(&mut self, at: u32) {
        let mut child = self.nodes.node(at).child;
        while child != NONE {
            self.pending.push(child);
            child = self.nodes.node(child).next;
        }
    }
}

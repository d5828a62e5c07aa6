//! Events applied to the blocks of one source: which of the router's own blocks that makes resident, and which not.

use std::ops::Range;

use super::key::work_in;
use super::node::{LONGEST_OWN, Link, NONE, Spot};
use super::nodes::Nodes;
use super::shared::Shared;
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
    /// Blocks whose first own block depends on the block at hand.
    spanning: Vec<u32>,
    shared: Shared,
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
            spanning: Vec::new(),
            shared: Shared::default(),
            done: Done::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.gone.clear();
        self.nodes.clear();
        self.shared.clear();
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
        let has_children = node.child != NONE;
        self.done.stored += 1;
        self.extend(at, keys, run, sink);
        if has_children {
            self.write(run, sink);
            run.from = run.to;
            self.wake(at, run.tier, sink);
        }
    }

    /// Adds the own blocks that end in a block to the run, as far as they are whole and new.
    fn extend(&mut self, at: u32, keys: Range<usize>, run: &mut Run, sink: &mut dyn KvSink) {
        if keys.is_empty() {
            return;
        }
        let uncovered = usize::from(!self.nodes.is_covered(at, run.tier));
        let alone = self.nodes.ends_alone(at);
        for place in keys.start + uncovered..keys.end {
            let is_alone = alone && place + 1 == keys.end;
            if !is_alone && !self.shared.gain(self.keys[place], run.tier) {
                continue;
            }
            if place != run.to {
                self.write(run, sink);
                run.from = place;
            }
            run.to = place + 1;
        }
    }

    /// Writes the own blocks that end behind a block and are whole because of it.
    fn wake(&mut self, at: u32, tier: Tier, sink: &mut dyn KvSink) {
        let link = self.nodes.node(at).link();
        let mut spanning = std::mem::take(&mut self.spanning);
        self.nodes.spanning(at, tier, &mut spanning);
        for at in spanning.drain(..) {
            let key = self.nodes.first_key(at);
            if self.nodes.first_ends_alone(at) || self.shared.gain(key, tier) {
                sink.stored(self.endpoint, tier, link.block(), &[key]);
            }
        }
        self.spanning = spanning;
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
        let first = self.gone.len();
        self.nodes.keys(at, &mut self.gone);
        if self.gone.len() > first {
            if !self.nodes.is_covered(at, tier) {
                self.gone.remove(first);
            }
            self.keep_lost(at, tier, first);
        }
        if self.nodes.node(at).child != NONE {
            let mut spanning = std::mem::take(&mut self.spanning);
            self.nodes.spanning(at, tier, &mut spanning);
            for at in spanning.drain(..) {
                let key = self.nodes.first_key(at);
                if self.nodes.first_ends_alone(at) || self.shared.lose(key, tier) {
                    self.gone.push(key);
                }
            }
            self.spanning = spanning;
        }
        self.nodes.node_mut(at).unset(tier);
        self.nodes.drop_unused(at);
        self.done.removed += 1;
    }

    /// Leaves in `gone`, from `first` on, only those that no other block completes too.
    fn keep_lost(&mut self, at: u32, tier: Tier, first: usize) {
        let alone = self.nodes.ends_alone(at);
        let (end, mut kept) = (self.gone.len(), first);
        for place in first..end {
            let key = self.gone[place];
            if (alone && place + 1 == end) || self.shared.lose(key, tier) {
                self.gone[kept] = key;
                kept += 1;
            }
        }
        self.gone.truncate(kept);
    }
}

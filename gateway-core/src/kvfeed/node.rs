//! One block of an engine, in the router's terms.

use super::sink::TIERS;
use super::{EngineHash, Tier};
use crate::BlockHash;

/// No node.
pub(super) const NONE: u32 = u32::MAX;
/// The longest block of the router, in tokens: offsets have 12 bits.
pub(super) const LONGEST_OWN: usize = 1 << 12;

const OFFSET_BITS: u16 = 0x0fff;
const TIER_SHIFT: u32 = 12;
const ROOT_BIT: u16 = 1 << 15;

/// A block that an engine holds, 40 bytes.
///
/// The router's blocks ("own" ones) have their own length. A node *completes* the own blocks whose last token it holds.
/// The first of them may begin in an earlier node; then, and only then, the two are linked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) hash: EngineHash,
    /// The key of the last own block completed here or before, or the seed if there is none.
    chain: u64,
    /// The node before, [`NONE`] where no own block spans the border.
    pub(super) parent: u32,
    /// The first node that is linked to this one.
    pub(super) child: u32,
    /// Its siblings among those linked to its parent.
    pub(super) next: u32,
    pub(super) prev: u32,
    /// A single token, or where the node's words lie.
    pub(super) aside: u32,
    /// Tokens.
    len: u16,
    /// The offset of its first token in an own block, its tiers, and whether `chain` is a seed.
    place: u16,
}

const _: () = assert!(size_of::<Node>() == 40, "nodes are many");

/// Where a node lies among own blocks, and the keys around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// The offset of its first token in an own block.
    pub(super) start: usize,
    /// Its tokens.
    pub(super) len: usize,
    /// See [`Node::link`].
    pub(super) link: Link,
}

/// What the next own block is chained to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Nothing: a prompt begins with this seed.
    Seed(u64),
    /// The own block before.
    Block(BlockHash),
}

impl Link {
    pub(super) fn value(self) -> u64 {
        match self {
            Self::Seed(seed) => seed,
            Self::Block(hash) => hash.0,
        }
    }

    pub(super) fn block(self) -> Option<BlockHash> {
        match self {
            Self::Seed(_) => None,
            Self::Block(hash) => Some(hash),
        }
    }
}

impl Node {
    /// A node in no tier, linked to nothing.
    pub(super) fn new(hash: EngineHash, spot: Spot) -> Self {
        let root = match spot.link {
            Link::Seed(_) => ROOT_BIT,
            Link::Block(_) => 0,
        };
        let start = u16::try_from(spot.start).expect("an offset in an own block");
        Self {
            hash,
            chain: spot.link.value(),
            parent: NONE,
            child: NONE,
            next: NONE,
            prev: NONE,
            aside: NONE,
            len: u16::try_from(spot.len).expect("checked when the event came in"),
            place: start | root,
        }
    }

    /// What an own block that follows is chained to.
    pub(super) fn link(&self) -> Link {
        if self.place & ROOT_BIT == 0 {
            Link::Block(BlockHash(self.chain))
        } else {
            Link::Seed(self.chain)
        }
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// The offset of its first token in an own block.
    pub(super) fn start(&self) -> usize {
        usize::from(self.place & OFFSET_BITS)
    }

    /// Tokens after the last own block that ended here or before.
    pub(super) fn rest(&self, own_tokens: usize) -> usize {
        (self.start() + self.len()) % own_tokens
    }

    /// Own blocks that end here.
    pub(super) fn completed(&self, own_tokens: usize) -> usize {
        (self.start() + self.len()) / own_tokens
    }

    pub(super) fn has(&self, tier: Tier) -> bool {
        self.place >> TIER_SHIFT >> tier as u16 & 1 == 1
    }

    pub(super) fn is_held(&self) -> bool {
        TIERS.into_iter().any(|tier| self.has(tier))
    }

    pub(super) fn set(&mut self, tier: Tier) {
        self.place |= 1 << TIER_SHIFT << tier as u16;
    }

    pub(super) fn unset(&mut self, tier: Tier) {
        self.place &= !(1 << TIER_SHIFT << tier as u16);
    }
}

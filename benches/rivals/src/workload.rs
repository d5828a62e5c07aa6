//! The work that every subject does: the same bytes in the same order, from one seed.

use std::collections::HashSet;

use gateway_core::hash::extend_tokens;
use gateway_core::{BlockHash, Rng};

/// Endpoints in the fleet.
pub const ENDPOINTS: usize = 128;
/// Blocks of a whole conversation: about 2,700 tokens in blocks of 16.
pub const CHAIN_BLOCKS: usize = 167;
/// Blocks of a system prompt, of which there are few.
const SYSTEM_BLOCKS: usize = 40;
const SYSTEM_PROMPTS: usize = 16;
/// A conversation arrives in turns: the first with the system prompt, then shorter ones.
const TURN_ENDS: [usize; 5] = [60, 87, 114, 141, CHAIN_BLOCKS];
/// One conversation in so many loses its last turn again.
const EVICT_EVERY: usize = 8;

/// One block under the two names that the subjects know it by.
#[derive(Clone, Copy)]
pub struct Block {
    /// Hash of the block and all before it.
    pub chain: u64,
    /// Hash of the block alone.
    pub content: u64,
}

/// One conversation on one endpoint.
pub struct Session {
    pub endpoint: u16,
    pub blocks: Vec<Block>,
    /// Blocks that the engine keeps in the end; it evicts the others.
    kept: usize,
}

impl Session {
    /// Calls `store` with the parent and the blocks of each turn.
    pub fn turns(&self, mut store: impl FnMut(Option<u64>, &[Block])) {
        let mut from = 0_usize;
        for end in TURN_ENDS {
            let parent = from.checked_sub(1).map(|before| self.blocks[before].chain);
            store(parent, &self.blocks[from..end]);
            from = end;
        }
    }

    /// The blocks that the engine evicts, last first.
    pub fn evicted(&self) -> Vec<u64> {
        self.blocks[self.kept..].iter().rev().map(|block| block.chain).collect()
    }

    /// The blocks left in the end.
    fn kept(&self) -> &[Block] {
        &self.blocks[..self.kept]
    }
}

/// What engines evict again of the conversations they get.
#[derive(Clone, Copy)]
pub enum Eviction {
    /// The last turn of one conversation in eight.
    Few,
    /// All but the system prompts, as a full engine does.
    Most,
}

/// `per_endpoint` conversations on each endpoint, in random order.
pub fn sessions(seed: u64, per_endpoint: usize, eviction: Eviction) -> Vec<Session> {
    let mut rng = Rng::from_seed(seed);
    let mut systems = Rng::from_seed(0xbeef);
    let systems: Vec<Vec<u64>> =
        (0..SYSTEM_PROMPTS).map(|_| (0..SYSTEM_BLOCKS).map(|_| systems.next_u64()).collect()).collect();
    let mut sessions: Vec<_> = (0..per_endpoint * ENDPOINTS)
        .map(|n| {
            let mut contents = systems[rng.below(SYSTEM_PROMPTS)].clone();
            contents.resize_with(CHAIN_BLOCKS, || rng.next_u64());
            Session {
                endpoint: (n % ENDPOINTS) as u16,
                blocks: chained(&contents),
                kept: match eviction {
                    Eviction::Most => SYSTEM_BLOCKS,
                    Eviction::Few if n % EVICT_EVERY == 0 => TURN_ENDS[3],
                    Eviction::Few => CHAIN_BLOCKS,
                },
            }
        })
        .collect();
    for at in (1..sessions.len()).rev() {
        sessions.swap(at, rng.below(at + 1));
    }
    sessions
}

/// Chains block contents as our own hash does; every subject is told these names.
fn chained(contents: &[u64]) -> Vec<Block> {
    let mut parent = BlockHash(0);
    contents
        .iter()
        .map(|&content| {
            let mut one = Vec::with_capacity(1);
            extend_tokens(parent, &[content as u32, (content >> 32) as u32], 2, &mut one);
            parent = one[0];
            Block { chain: parent.0, content }
        })
        .collect()
}

/// The truth, block by block.
pub struct Reference(Vec<HashSet<u64>>);

impl Reference {
    pub fn of<'a>(sessions: impl Iterator<Item = &'a Session>) -> Self {
        let mut held = vec![HashSet::new(); ENDPOINTS];
        for session in sessions {
            held[usize::from(session.endpoint)].extend(session.kept().iter().map(|block| block.chain));
        }
        Self(held)
    }

    /// Pairs of a block and an endpoint.
    pub fn pairs(&self) -> usize {
        self.0.iter().map(HashSet::len).sum()
    }

    /// Every endpoint with its match, by endpoint.
    pub fn scores(&self, query: &[Block]) -> Vec<(u16, u32)> {
        let matched = |held: &HashSet<u64>| query.iter().take_while(|block| held.contains(&block.chain)).count() as u32;
        let scores = self.0.iter().enumerate().map(|(endpoint, held)| (endpoint as u16, matched(held)));
        scores.filter(|(_, blocks)| *blocks > 0).collect()
    }
}

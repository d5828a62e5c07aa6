//! An oracle too simple to be wrong, and a small world of chains that share beginnings.

#![allow(dead_code, reason = "every test file uses another part")]

use std::collections::{HashMap, HashSet};

use gateway_core::prefix::{PrefixIndex, PrefixMatches};
use gateway_core::{BlockHash, EndpointId, Rng};

/// What each endpoint holds, block by block.
#[derive(Clone, Default)]
pub(crate) struct Oracle(HashMap<EndpointId, HashSet<BlockHash>>);

impl Oracle {
    pub(crate) fn store(&mut self, endpoint: EndpointId, blocks: &[BlockHash]) {
        self.0.entry(endpoint).or_default().extend(blocks);
    }

    pub(crate) fn remove(&mut self, endpoint: EndpointId, blocks: &[BlockHash]) {
        if let Some(held) = self.0.get_mut(&endpoint) {
            held.retain(|block| !blocks.contains(block));
        }
    }

    pub(crate) fn clear(&mut self, endpoint: EndpointId) {
        self.0.remove(&endpoint);
    }

    /// Adds what another oracle knows.
    pub(crate) fn include(&mut self, other: &Self) {
        for (&endpoint, held) in &other.0 {
            self.0.entry(endpoint).or_default().extend(held);
        }
    }

    pub(crate) fn matched(&self, endpoint: EndpointId, query: &[BlockHash]) -> usize {
        let Some(held) = self.0.get(&endpoint) else {
            return 0;
        };
        query
            .iter()
            .take_while(|block| held.contains(block))
            .count()
    }

    pub(crate) fn pairs(&self) -> usize {
        self.0.values().map(HashSet::len).sum()
    }

    pub(crate) fn endpoints(&self) -> impl Iterator<Item = EndpointId> {
        self.0.keys().copied()
    }
}

/// Chains of up to `depth` blocks; each leaves an earlier one somewhere.
pub(crate) fn chains(seed: u64, count: usize, depth: usize) -> Vec<Vec<BlockHash>> {
    let mut rng = Rng::from_seed(seed);
    let mut chains: Vec<Vec<BlockHash>> = Vec::new();
    for _ in 0..count {
        let mut chain = match chains.get(rng.below(chains.len() + 1)) {
            Some(other) => other[..rng.below(other.len() + 1)].to_vec(),
            None => Vec::new(),
        };
        let len = 1 + rng.below(depth);
        while chain.len() < len {
            chain.push(BlockHash(rng.next_u64()));
        }
        chains.push(chain);
    }
    chains
}

/// The index's answer, which must name each endpoint once.
pub(crate) fn answer(
    index: &PrefixIndex,
    query: &[BlockHash],
    matches: &mut PrefixMatches,
) -> HashMap<EndpointId, usize> {
    index.lookup(query, matches);
    let mut found = HashMap::new();
    for (endpoint, blocks) in matches.iter() {
        assert!(blocks > 0 && blocks as usize <= query.len());
        assert_eq!(blocks, matches.blocks(endpoint));
        assert_eq!(
            found.insert(endpoint, blocks as usize),
            None,
            "{endpoint} named twice"
        );
    }
    found
}

/// Compares every endpoint's match on every chain.
pub(crate) fn assert_exact(index: &PrefixIndex, oracle: &Oracle, chains: &[Vec<BlockHash>]) {
    let mut matches = PrefixMatches::new();
    for chain in chains {
        let found = answer(index, chain, &mut matches);
        let expected: HashMap<_, _> = oracle
            .endpoints()
            .map(|e| (e, oracle.matched(e, chain)))
            .filter(|(_, blocks)| *blocks > 0)
            .collect();
        assert_eq!(found, expected);
    }
    assert_eq!(index.stats().holders, oracle.pairs());
}

/// Checks that no match is longer than the truth and no byte is spent beyond the budget.
pub(crate) fn assert_bounded(
    index: &PrefixIndex,
    oracle: &Oracle,
    chains: &[Vec<BlockHash>],
    budget_bytes: usize,
) {
    let mut matches = PrefixMatches::new();
    for chain in chains {
        for (endpoint, blocks) in answer(index, chain, &mut matches) {
            assert!(blocks <= oracle.matched(endpoint, chain));
        }
    }
    let stats = index.stats();
    assert!(
        stats.bytes <= budget_bytes,
        "{} bytes of {budget_bytes}",
        stats.bytes
    );
    assert!(stats.holders <= oracle.pairs());
}

//! Single rules by example; any sequence against an oracle in [`oracle`] and [`history`].

mod history;
mod oracle;
mod rules;

use super::{Cached, Residency, ResidencyConfig, Residents};
use crate::{BlockHash, EndpointId, Rng, Timestamp, prefix::PrefixIndexConfig};

/// Room for everything that these tests do.
fn ample() -> ResidencyConfig {
    ResidencyConfig {
        index: PrefixIndexConfig {
            budget_bytes: 16 << 20,
        },
        ..ResidencyConfig::default()
    }
}

fn of(residency: &Residency, endpoint: EndpointId, prompt: &[BlockHash]) -> Cached {
    let mut residents = Residents::new();
    residency.lookup(prompt, &mut residents);
    let cached = residents.of(endpoint);
    let listed = residents.iter().find(|(listed, _)| *listed == endpoint);
    assert_eq!(listed.map(|(_, cached)| cached).unwrap_or_default(), cached);
    cached
}

fn own(residency: &Residency, endpoint: EndpointId, prompt: &[BlockHash]) -> u32 {
    of(residency, endpoint, prompt).own
}

/// A chain of its own for each seed.
fn chain(seed: u64, blocks: usize) -> Vec<BlockHash> {
    let mut rng = Rng::from_seed(seed);
    (0..blocks).map(|_| BlockHash(rng.next_u64())).collect()
}

/// Chains that share beginnings.
fn chains(seed: u64, count: usize, depth: usize) -> Vec<Vec<BlockHash>> {
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

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

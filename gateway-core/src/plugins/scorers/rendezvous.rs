//! Rendezvous hashing: a key's home among the candidates, without a table.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::{BlockHash, RouteCx, pipeline::ParamError, plugin::Candidate, plugins::params::ensure};

/// The key's hash of a candidate; the greatest is home. Names, not numbers, are hashed, so all gateways and all restarts
/// agree.
pub(super) fn hash(key: u64, candidate: &Candidate<'_>) -> u64 {
    xxh3_64_with_seed(candidate.endpoint.name().as_bytes(), key)
}

/// Keeps the order of the hashes below the neutral score, so that the second choice is as fixed as the first.
pub(super) fn runner_up(hash: u64) -> f32 {
    // 24 bits fit a float exactly.
    (hash >> 40) as f32 / (1_u32 << 25) as f32
}

/// Scores 1 for the key's home among candidates whose requests, with this one, stay within `load_factor` times the mean,
/// below 0.5 for others with room, and 0 for those without.
pub(super) fn bounded_home(
    key: u64,
    load_factor: f32,
    candidates: &[Candidate<'_>],
    out: &mut [f32],
) {
    let capacity = capacity(load_factor, candidates);
    let mut home: Option<(u64, usize)> = None;
    for (at, (candidate, score)) in candidates.iter().zip(out.iter_mut()).enumerate() {
        *score = 0.0;
        if f64::from(candidate.load.requests) < capacity {
            let hash = hash(key, candidate);
            *score = runner_up(hash);
            home = home.max(Some((hash, at)));
        }
    }
    if let Some((_, at)) = home {
        out[at] = 1.0;
    }
}

/// Refuses a load factor that would not leave a place for every request.
pub(super) fn sound_factor(load_factor: f32) -> Result<(), ParamError> {
    ensure(
        load_factor.is_finite() && load_factor >= 1.0,
        "`load_factor` must be a number of at least 1",
    )
}

/// What the request shares with others that begin alike: the chained hash of its first `depth_tokens` tokens, in whole
/// blocks, at least one. `None` where it is shorter than a block.
pub(super) fn prefix_key(cx: &RouteCx<'_>, depth_tokens: u32) -> Option<u64> {
    let depth = (depth_tokens / cx.block_tokens.max(1)).max(1) as usize;
    let BlockHash(hash) = *cx.blocks.get(depth - 1).or(cx.blocks.last())?;
    Some(hash)
}

/// The most requests an endpoint may have after taking this one.
fn capacity(load_factor: f32, candidates: &[Candidate<'_>]) -> f64 {
    let requests: u64 = candidates
        .iter()
        .map(|candidate| u64::from(candidate.load.requests))
        .sum();
    let mean = (requests + 1) as f64 / candidates.len() as f64;
    (mean * f64::from(load_factor)).ceil()
}

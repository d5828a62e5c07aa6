//! Situations in which a prefix index is easily wrong, each by its name.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod prefix_support;

use gateway_core::prefix::{PrefixIndex, PrefixIndexConfig, PrefixMatches};
use gateway_core::{BlockHash, EndpointId};
use prefix_support::{Oracle, assert_exact};

const A: EndpointId = EndpointId(0);
const B: EndpointId = EndpointId(1);
const AMPLE: usize = 8 << 20;

fn index(budget_bytes: usize) -> PrefixIndex {
    PrefixIndex::new(PrefixIndexConfig { budget_bytes })
}

/// `len` blocks of the chain `name`.
fn chain(name: u64, len: u64) -> Vec<BlockHash> {
    (0..len)
        .map(|at| BlockHash((name << 32 | at).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
        .collect()
}

fn blocks(index: &PrefixIndex, endpoint: EndpointId, query: &[BlockHash]) -> u32 {
    let mut matches = PrefixMatches::new();
    index.lookup(query, &mut matches);
    matches.blocks(endpoint)
}

#[test]
fn a_hole_stops_the_match_and_filling_it_restores_the_whole() {
    let (index, chain) = (index(AMPLE), chain(1, 100));
    index.store(A, None, &chain);
    index.remove(A, &chain[30..31]);
    assert_eq!(blocks(&index, A, &chain), 30);
    index.store(A, Some(chain[29]), &chain[30..31]);
    assert_eq!(blocks(&index, A, &chain), 100);
}

#[test]
fn a_chain_without_its_start_counts_once_the_start_is_stored() {
    let (index, chain) = (index(AMPLE), chain(1, 100));
    index.store(A, Some(chain[59]), &chain[60..]);
    assert_eq!(blocks(&index, A, &chain), 0);
    index.store(A, None, &chain[..20]);
    assert_eq!(blocks(&index, A, &chain), 20);
    index.store(A, Some(chain[19]), &chain[20..60]);
    assert_eq!(blocks(&index, A, &chain), 100);
}

#[test]
fn a_start_removed_and_stored_again_finds_what_hangs_below() {
    let (index, chain) = (index(AMPLE), chain(1, 150));
    index.store(A, None, &chain);
    index.remove(A, &chain[..80]);
    assert_eq!(blocks(&index, A, &chain), 0);
    index.store(A, None, &chain[..80]);
    assert_eq!(blocks(&index, A, &chain), 150);
}

#[test]
fn blocks_announced_one_by_one_form_long_runs() {
    let (index, chain) = (index(AMPLE), chain(1, 480));
    for (at, block) in chain.iter().enumerate() {
        let parent = at.checked_sub(1).map(|before| chain[before]);
        assert_eq!(index.store(A, parent, &[*block]).new_holders, 1);
    }
    assert_eq!(blocks(&index, A, &chain), 480);
    assert_eq!(index.stats().runs, 10);
}

#[test]
fn a_branch_inside_a_run_leaves_both_branches_exact() {
    let (index, trunk) = (index(AMPLE), chain(1, 48));
    let branch: Vec<_> = trunk[..17].iter().copied().chain(chain(2, 20)).collect();
    let mut oracle = Oracle::default();
    for (endpoint, blocks) in [(A, &trunk), (B, &branch), (EndpointId(700), &branch)] {
        index.store(endpoint, None, blocks);
        oracle.store(endpoint, blocks);
    }
    assert_exact(&index, &oracle, &[trunk, branch]);
}

#[test]
fn every_endpoint_of_the_largest_fleet_is_told_apart() {
    let (index, chain) = (index(AMPLE), chain(1, 40));
    let mut oracle = Oracle::default();
    let all = (0..EndpointId::LIMIT).map(|n| EndpointId(u16::try_from(n).unwrap()));
    for endpoint in all {
        let held = &chain[..1 + endpoint.index() % 40];
        index.store(endpoint, None, held);
        oracle.store(endpoint, held);
    }
    assert_exact(&index, &oracle, std::slice::from_ref(&chain));
    for number in (0..4096).step_by(3) {
        index.clear(EndpointId(number));
        oracle.clear(EndpointId(number));
    }
    assert_exact(&index, &oracle, &[chain]);
}

#[test]
fn an_endpoint_out_of_range_is_rejected_and_counted() {
    let (index, chain) = (index(AMPLE), chain(1, 5));
    let beyond = EndpointId(u16::try_from(EndpointId::LIMIT).unwrap());
    assert_eq!(index.store(beyond, None, &chain).rejected, 5);
    index.remove(beyond, &chain);
    index.clear(EndpointId(u16::MAX));
    assert_eq!(
        (
            blocks(&index, beyond, &chain),
            index.stats().rejected_blocks
        ),
        (0, 5)
    );
}

#[test]
fn a_lookup_saves_a_chain_from_eviction() {
    let index = index(64 << 10);
    let (mut used, mut unused) = (0, 0);
    let (kept, idle) = (chain(1, 48), chain(2, 48));
    index.store(A, None, &kept);
    index.store(A, None, &idle);
    for name in 3..400 {
        used += u32::from(blocks(&index, A, &kept) == 48);
        index.store(B, None, &chain(name, 48));
        unused = blocks_without_use(&index, &idle);
    }
    assert_eq!(used, 397, "the chain in use was evicted");
    assert_eq!(unused, 0, "the idle chain was kept");
    assert!(index.stats().evicted_blocks > 0);
}

/// Holders of the first block, asked in a way that refreshes the first run only when it is still there.
fn blocks_without_use(index: &PrefixIndex, query: &[BlockHash]) -> u32 {
    if index.stats().evicted_blocks == 0 {
        48
    } else {
        blocks(index, A, &query[..1])
    }
}

#[test]
fn eviction_takes_the_least_recently_used_leaf_and_spares_what_branches() {
    let index = index(24 << 10);
    let trunk = chain(1, 48);
    let branch = |name: u64| -> Vec<_> { trunk.iter().copied().chain(chain(name, 48)).collect() };
    index.store(A, None, &branch(2));
    let mut name = 3;
    while index.stats().evicted_blocks == 0 {
        index.store(A, None, &branch(name));
        name += 1;
    }
    let held: Vec<u32> = (2..name)
        .map(|name| blocks(&index, A, &branch(name)))
        .collect();
    let evicted = held.iter().filter(|&&blocks| blocks == 48).count();
    assert!(0 < evicted && evicted < held.len() / 2, "{held:?}");
    assert!(
        held[..evicted].iter().all(|&blocks| blocks == 48),
        "{held:?}"
    );
    assert!(
        held[evicted..].iter().all(|&blocks| blocks == 96),
        "{held:?}"
    );
}

#[test]
fn a_chain_larger_than_the_budget_keeps_its_beginning() {
    let (index, chain) = (index(16 << 10), chain(1, 5_000));
    let outcome = index.store(A, None, &chain);
    assert!(outcome.rejected > 0);
    assert_eq!(outcome.new_holders + outcome.rejected, 5_000);
    assert_eq!(blocks(&index, A, &chain) as usize, outcome.new_holders);
    assert!(index.stats().bytes <= 16 << 10);
}

#[test]
fn a_budget_of_nothing_stores_nothing() {
    let (index, chain) = (index(0), chain(1, 5));
    assert_eq!(index.store(A, None, &chain).rejected, 5);
    assert_eq!(blocks(&index, A, &chain), 0);
}

#[test]
fn churn_for_ever_leaks_no_memory() {
    let budget = 64 << 10;
    let index = index(budget);
    let held_when_full = |index: &PrefixIndex, from: u64| {
        for name in from..from + 200 {
            index.store(A, None, &chain(name, 40));
        }
        index.stats().holders
    };
    let fresh = held_when_full(&index, 0);
    for round in 1..50 {
        for name in 0..40 {
            let chain = chain(round * 1_000 + name, 60);
            index.store(A, None, &chain);
            index.store(B, None, &chain[..33]);
            index.store(EndpointId(9), None, &chain[..50]);
            index.remove(A, &chain[10..20]);
        }
        index.clear(if round % 2 == 0 { A } else { B });
    }
    for endpoint in [A, B, EndpointId(9)] {
        index.clear(endpoint);
    }
    assert_eq!(index.stats().holders, 0);
    assert_eq!(index.stats().blocks, 0);
    let again = held_when_full(&index, 100_000);
    assert!(
        again * 10 >= fresh * 9,
        "{again} blocks fit where {fresh} did"
    );
}

#[test]
fn a_parent_that_claims_to_follow_its_child_makes_no_circle() {
    let index = index(16 << 10);
    let (x, y) = (chain(1, 2), chain(2, 2));
    index.store(A, Some(y[1]), &x);
    index.store(A, Some(x[1]), &y);
    index.store(A, Some(y[1]), &x);
    for name in 3..200 {
        index.store(A, None, &chain(name, 48));
    }
    assert_eq!(
        blocks(&index, A, &chain(199, 48)),
        48,
        "the circle could not be evicted"
    );
    index.clear(A);
    assert_eq!(index.stats().blocks, 0);
}

//! Readers beside writers: what they see was true at some time, and in the end all is exact.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod prefix_support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use gateway_core::prefix::{PrefixIndex, PrefixIndexConfig, PrefixMatches};
use gateway_core::{BlockHash, EndpointId, Rng};
use prefix_support::{Oracle, answer, assert_bounded, assert_exact, chains};

const WRITERS: u16 = 3;
const ENDPOINTS_EACH: u16 = 3;
const STEPS: usize = 6_000;

/// One writer's events for its own endpoints; gives what they hold at the end.
fn write(index: &PrefixIndex, writer: u16, world: &[Vec<BlockHash>]) -> Oracle {
    let mut rng = Rng::from_seed(u64::from(writer) + 1);
    let mut oracle = Oracle::default();
    for _ in 0..STEPS {
        let number =
            writer * ENDPOINTS_EACH + u16::try_from(rng.below(ENDPOINTS_EACH.into())).unwrap();
        let endpoint = EndpointId(number * 131);
        let chain = &world[rng.below(world.len())];
        let from = rng.below(chain.len());
        let to = from + 1 + rng.below(chain.len() - from);
        match rng.below(100) {
            0..55 => {
                let from = if rng.below(2) == 0 { 0 } else { from };
                let parent = from.checked_sub(1).map(|before| chain[before]);
                let rejected = index.store(endpoint, parent, &chain[from..to]).rejected;
                oracle.store(endpoint, &chain[from..to - rejected]);
            }
            55..99 => {
                index.remove(endpoint, &chain[from..to]);
                oracle.remove(endpoint, &chain[from..to]);
            }
            _ => {
                index.clear(endpoint);
                oracle.clear(endpoint);
            }
        }
    }
    oracle
}

/// Looks up until told to stop. `steady` endpoints hold whole chains all the time and must be seen so.
fn read(
    index: &PrefixIndex,
    world: &[Vec<BlockHash>],
    steady: &HashMap<EndpointId, usize>,
    stop: &AtomicBool,
) -> usize {
    let (mut rng, mut matches, mut lookups) = (Rng::from_seed(99), PrefixMatches::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let which = rng.below(world.len());
        let found = answer(index, &world[which], &mut matches);
        for (&endpoint, &chain) in steady {
            let expected = world[chain]
                .iter()
                .zip(&world[which])
                .take_while(|(a, b)| a == b)
                .count();
            assert_eq!(
                found.get(&endpoint).copied().unwrap_or(0),
                expected,
                "a held block went unseen, or one too many"
            );
        }
        lookups += 1;
    }
    lookups
}

fn race(
    budget_bytes: usize,
    steady: &HashMap<EndpointId, usize>,
    world: &[Vec<BlockHash>],
) -> (PrefixIndex, Vec<Oracle>) {
    let index = PrefixIndex::new(PrefixIndexConfig { budget_bytes });
    for (&endpoint, &chain) in steady {
        index.store(endpoint, None, &world[chain]);
    }
    let stop = AtomicBool::new(false);
    let oracles = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| read(&index, world, steady, &stop)))
            .collect();
        let index = &index;
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| scope.spawn(move || write(index, n, world)))
            .collect();
        let oracles = writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect();
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
        oracles
    });
    (index, oracles)
}

fn merge(oracles: &[Oracle]) -> Oracle {
    let mut all = Oracle::default();
    for oracle in oracles {
        all.include(oracle);
    }
    all
}

#[test]
fn steady_holders_are_seen_exactly_while_runs_split_and_move_around_them() {
    let world = chains(7, 16, 150);
    let steady: HashMap<_, _> = (0..4)
        .map(|n| (EndpointId(4_000 + n), 3 * usize::from(n)))
        .collect();
    let (index, oracles) = race(8 << 20, &steady, &world);
    let mut all = merge(&oracles);
    for (endpoint, chain) in steady {
        all.store(endpoint, &world[chain]);
    }
    assert_exact(&index, &all, &world);
}

#[test]
fn eviction_under_readers_never_lengthens_a_match() {
    let world = chains(8, 40, 150);
    let budget_bytes = 24 << 10;
    let (index, oracles) = race(budget_bytes, &HashMap::new(), &world);
    assert!(index.stats().evicted_blocks > 0);
    assert_bounded(&index, &merge(&oracles), &world, budget_bytes);
}

#[test]
fn no_reader_credits_a_block_that_was_never_stored() {
    // Units are recycled as fast as can be between two unrelated chains; a mixed view would credit too much.
    let world = chains(9, 24, 100);
    let index = PrefixIndex::new(PrefixIndexConfig {
        budget_bytes: 12 << 10,
    });
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut matches, mut seen) = (PrefixMatches::new(), 0_usize);
            while !stop.load(Ordering::Relaxed) {
                for (number, chain) in world.iter().enumerate() {
                    for (endpoint, blocks) in answer(&index, chain, &mut matches) {
                        let own = &world[endpoint.index()];
                        let shared = own.iter().zip(chain).take_while(|(a, b)| a == b).count();
                        assert!(
                            blocks <= shared,
                            "{endpoint} credited {blocks} of {shared} on chain {number}"
                        );
                        seen += 1;
                    }
                }
            }
            seen
        });
        // Each endpoint only ever holds blocks of the chain with its own number.
        let mut rng = Rng::from_seed(10);
        for _ in 0..40_000 {
            let number = rng.below(world.len());
            let endpoint = EndpointId(u16::try_from(number).unwrap());
            let chain = &world[number];
            let cut = rng.below(chain.len());
            index.store(endpoint, None, &chain[..=cut]);
            index.remove(endpoint, &chain[cut / 2..]);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0, "the reader saw nothing at all");
    });
}

//! The prefix index against an oracle, over any sequence of stores, removals and clears.

mod prefix_support;

use gateway_core::prefix::{PrefixIndex, PrefixIndexConfig};
use gateway_core::{BlockHash, EndpointId};
use prefix_support::{Oracle, assert_bounded, assert_exact, chains};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Op {
    Store {
        endpoint: u16,
        chain: usize,
        from: usize,
        len: usize,
        tells_parent: bool,
    },
    Remove {
        endpoint: u16,
        chain: usize,
        from: usize,
        len: usize,
        step: usize,
    },
    Clear {
        endpoint: u16,
    },
}

fn op(endpoints: u16) -> impl Strategy<Value = Op> {
    let place = || {
        (
            0..endpoints,
            any::<prop::sample::Index>(),
            0..200_usize,
            1..120_usize,
        )
    };
    prop_oneof![
        8 => (place(), prop::bool::weighted(0.8)).prop_map(|((endpoint, chain, from, len), tells_parent)| {
            // Half of all stores start at the beginning, as most of an engine's do.
            Op::Store { endpoint, chain: chain.index(64), from: from.saturating_sub(100), len, tells_parent }
        }),
        5 => (place(), 1..4_usize).prop_map(|((endpoint, chain, from, len), step)| {
            Op::Remove { endpoint, chain: chain.index(64), from, len, step }
        }),
        1 => (0..endpoints).prop_map(|endpoint| Op::Clear { endpoint }),
    ]
}

fn part(chain: &[BlockHash], from: usize, len: usize) -> (usize, &[BlockHash]) {
    let from = from % chain.len();
    (from, &chain[from..chain.len().min(from + len)])
}

/// Numbers beyond 448 and 512 reach further bit sets.
fn endpoint(number: u16, stride: u16) -> EndpointId {
    EndpointId(number * stride)
}

fn apply(op: &Op, stride: u16, world: &[Vec<BlockHash>], index: &PrefixIndex, oracle: &mut Oracle) {
    match *op {
        Op::Store {
            endpoint: number,
            chain,
            from,
            len,
            tells_parent,
        } => {
            let chain = &world[chain % world.len()];
            let (from, blocks) = part(chain, from, len);
            let parent = from
                .checked_sub(1)
                .filter(|_| tells_parent)
                .map(|before| chain[before]);
            let outcome = index.store(endpoint(number, stride), parent, blocks);
            assert!(outcome.new_holders + outcome.rejected <= blocks.len());
            let stored = blocks.len() - outcome.rejected;
            oracle.store(endpoint(number, stride), &blocks[..stored]);
        }
        Op::Remove {
            endpoint: number,
            chain,
            from,
            len,
            step,
        } => {
            let (_, blocks) = part(&world[chain % world.len()], from, len);
            let mut blocks: Vec<_> = blocks.iter().copied().step_by(step).collect();
            blocks.reverse();
            index.remove(endpoint(number, stride), &blocks);
            oracle.remove(endpoint(number, stride), &blocks);
        }
        Op::Clear { endpoint: number } => {
            index.clear(endpoint(number, stride));
            oracle.clear(endpoint(number, stride));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn an_ample_index_equals_the_oracle_after_every_step(
        seed in any::<u64>(),
        stride in prop::sample::select(vec![1_u16, 150, 409]),
        ops in prop::collection::vec(op(10), 1..60),
    ) {
        let world = chains(seed, 12, 180);
        let index = PrefixIndex::new(PrefixIndexConfig { budget_bytes: 8 << 20 });
        let mut oracle = Oracle::default();
        for op in &ops {
            apply(op, stride, &world, &index, &mut oracle);
            assert_exact(&index, &oracle, &world);
        }
        prop_assert_eq!(index.stats().evicted_holders, 0);
        for number in 0..10 {
            index.clear(endpoint(number, stride));
        }
        let stats = index.stats();
        prop_assert_eq!((stats.blocks, stats.holders, stats.runs), (0, 0, 0));
    }

    #[test]
    fn a_tiny_budget_shortens_matches_and_never_lengthens_them(
        seed in any::<u64>(),
        budget_bytes in 4_000..24_000_usize,
        ops in prop::collection::vec(op(40), 1..80),
    ) {
        let world = chains(seed, 12, 180);
        let index = PrefixIndex::new(PrefixIndexConfig { budget_bytes });
        let mut oracle = Oracle::default();
        for op in &ops {
            apply(op, 7, &world, &index, &mut oracle);
            assert_bounded(&index, &oracle, &world, budget_bytes.max(floor_bytes()));
        }
        let (stats, held) = (index.stats(), oracle.pairs());
        prop_assert!(stats.holders as u64 + stats.evicted_holders >= held as u64, "a loss that nobody counted");
        for number in 0..40 {
            index.clear(endpoint(number, 7));
        }
        let stats = index.stats();
        prop_assert_eq!((stats.blocks, stats.holders, stats.runs), (0, 0, 0));
    }

    #[test]
    fn reports_that_make_no_sense_do_no_harm(
        ops in prop::collection::vec((0..6_u16, prop::option::of(0..24_u64), prop::collection::vec(0..24_u64, 0..40), any::<bool>()), 1..60),
    ) {
        let budget_bytes = 16 << 10;
        let index = PrefixIndex::new(PrefixIndexConfig { budget_bytes });
        let mut matches = gateway_core::prefix::PrefixMatches::new();
        for (endpoint, parent, blocks, stores) in ops {
            let blocks: Vec<_> = blocks.into_iter().map(BlockHash).collect();
            if stores {
                index.store(EndpointId(endpoint * 1_000), parent.map(BlockHash), &blocks);
            } else {
                index.remove(EndpointId(endpoint * 1_000), &blocks);
            }
            index.lookup(&blocks, &mut matches);
            prop_assert!(index.stats().bytes <= budget_bytes);
        }
        for endpoint in 0..6 {
            index.clear(EndpointId(endpoint * 1_000));
        }
        prop_assert_eq!(index.stats().holders, 0);
    }
}

/// What an index takes before it holds anything.
fn floor_bytes() -> usize {
    PrefixIndex::new(PrefixIndexConfig { budget_bytes: 0 })
        .stats()
        .bytes
}

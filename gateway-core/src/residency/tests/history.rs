//! History against the simplest cache that could be: a list of blocks with the time of their last use.

use std::{collections::HashMap, time::Duration};

use proptest::prelude::*;

use super::{ample, at, chains, own};
use crate::{
    BlockHash, EndpointId, Timestamp,
    residency::{Keying, Residency, ResidencyConfig},
};

const ENGINE: EndpointId = EndpointId(70);
const AGE_LIMIT: Duration = Duration::from_millis(5_000);

/// Blocks by last use: number of the prompt, depth from the end of the prompt, time.
struct Naive {
    used: HashMap<BlockHash, (usize, usize, Timestamp)>,
    prompts: usize,
    capacity: usize,
}

impl Naive {
    fn place(&mut self, prompt: &[BlockHash], now: Timestamp) {
        self.prompts += 1;
        for (depth, &block) in prompt.iter().enumerate() {
            self.used
                .insert(block, (self.prompts, usize::MAX - depth, now));
        }
        self.fit();
    }

    fn fit(&mut self) {
        while self.used.len() > self.capacity {
            let oldest = self.used.iter().min_by_key(|(_, used)| **used);
            let block = *oldest.expect("more than its capacity").0;
            self.used.remove(&block);
        }
    }

    fn expire(&mut self, now: Timestamp) {
        self.used
            .retain(|_, (_, _, used)| now.since(*used) <= AGE_LIMIT);
    }

    fn matched(&self, prompt: &[BlockHash]) -> usize {
        let held = prompt.iter();
        held.take_while(|block| self.used.contains_key(block))
            .count()
    }
}

#[derive(Clone, Debug)]
enum Op {
    /// A prompt is placed, served and, in between, others may come: chain, blocks, served late.
    Prompt(prop::sample::Index, usize, bool),
    Wait(u64),
    Capacity(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => (any::<prop::sample::Index>(), 1..130_usize, any::<bool>()).prop_map(|(chain, len, late)| Op::Prompt(chain, len, late)),
        3 => (0..3_000_u64).prop_map(Op::Wait),
        1 => (0..400_usize).prop_map(Op::Capacity),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn history_equals_a_list_of_blocks_by_last_use(seed in any::<u64>(), ops in prop::collection::vec(op(), 1..60)) {
        let world = chains(seed, 12, 120);
        let residency = Residency::new(ResidencyConfig {
            age_limit: AGE_LIMIT,
            default_capacity_blocks: 200,
            ..ample()
        });
        let mut naive = Naive { used: HashMap::new(), prompts: 0, capacity: 200 };
        let (mut millis, mut late) = (0, Vec::new());
        for op in ops {
            match op {
                Op::Prompt(which, len, is_late) => {
                    let chain = which.get(&world);
                    let prompt = &chain[..len.min(chain.len())];
                    naive.expire(at(millis));
                    naive.place(prompt, at(millis));
                    let claim = residency.placed(ENGINE, prompt, Keying::Bytes, at(millis));
                    late.push(claim);
                    if !is_late {
                        late.drain(..).for_each(|claim| residency.served(claim, at(millis)));
                    }
                }
                Op::Wait(span) => {
                    // What waits for its first token is not history yet.
                    late.drain(..).for_each(|claim| residency.served(claim, at(millis)));
                    millis += span;
                    residency.expire(ENGINE, at(millis));
                    naive.expire(at(millis));
                }
                Op::Capacity(blocks) => {
                    residency.set_capacity(ENGINE, blocks);
                    naive.capacity = blocks;
                    naive.fit();
                }
            }
            for chain in &world {
                prop_assert_eq!(own(&residency, ENGINE, chain) as usize, naive.matched(chain));
            }
            let stats = residency.stats();
            prop_assert_eq!(stats.own_blocks as usize, naive.used.len());
            prop_assert_eq!(stats.index.holders, naive.used.len());
        }
    }
}

//! Any sequence of stores, removals and clears, pages of any length, against sets of prefixes.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::rig::{Told, config, engine_hash, store};
use crate::kvfeed::{FeedStep, FeedTracker, FeedTrust, KvBatch, Tier, token_seed};
use crate::{BlockHash, EndpointId, hash};

const TIERS: [Tier; 3] = [Tier::Device, Tier::Host, Tier::Disk];

#[derive(Clone, Debug)]
enum Step {
    /// Stores so many pages of the prompt with these branches, as far as they are not in the tier yet.
    Store(Vec<u8>, usize, usize),
    /// Names pages again in another tier, without their tokens.
    Name(prop::sample::Index, usize),
    /// Removes any page from any tier, ends of prompts or middles.
    Remove(prop::sample::Index, usize),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (prop::collection::vec(0_u8..2, 6), 1..140_usize, 0..3_usize)
            .prop_map(|(branches, len, tier)| Step::Store(branches, len, tier)),
        1 => (any::<prop::sample::Index>(), 0..3_usize).prop_map(|(page, tier)| Step::Name(page, tier)),
        6 => (any::<prop::sample::Index>(), 0..3_usize).prop_map(|(page, tier)| Step::Remove(page, tier)),
        1 => Just(Step::Clear),
    ]
}

/// Prompts that part ways at odd places.
fn prompt(branches: &[u8], len: usize) -> Vec<u32> {
    let branch = |at: usize| u32::from(branches[at / 25 % branches.len()]);
    (0..len)
        .map(|at| u32::try_from(at).expect("short") * 10 + branch(at))
        .collect()
}

/// Which prefixes, whole pages of them, are in which tier.
#[derive(Default)]
struct Oracle {
    pages: [BTreeSet<Vec<u32>>; 3],
    page: usize,
    own: usize,
}

impl Oracle {
    /// All own blocks all of whose tokens lie in pages of the tier.
    fn held(&self) -> BTreeSet<(u8, BlockHash)> {
        let mut held = BTreeSet::new();
        for (tier, pages) in (0..).zip(&self.pages) {
            for last in pages {
                let mut keys = Vec::new();
                hash::hash_tokens(token_seed(b"", b""), last, self.own, &mut keys);
                let whole = keys.iter().enumerate().filter(|(own, _)| {
                    let (from, to) = (own * self.own, (own + 1) * self.own);
                    let mut covering = from / self.page..to.div_ceil(self.page);
                    covering.all(|page| pages.contains(&last[..(page + 1) * self.page]))
                });
                held.extend(whole.map(|(_, key)| (tier, *key)));
            }
        }
        held
    }

    fn any(&self, tier: Option<usize>, index: prop::sample::Index) -> Option<Vec<u32>> {
        let pages: Vec<&Vec<u32>> = match tier {
            Some(tier) => self.pages[tier].iter().collect(),
            None => self.pages.iter().flatten().collect(),
        };
        (!pages.is_empty()).then(|| pages[index.index(pages.len())].clone())
    }

    fn is_known(&self, prefix: &[u32]) -> bool {
        self.pages.iter().any(|pages| pages.contains(prefix))
    }

    fn apply(&mut self, step: &Step, batch: &mut KvBatch) {
        match step {
            Step::Store(branches, len, tier) => self.store(&prompt(branches, *len), *tier, batch),
            Step::Name(index, tier) => {
                let Some(prefix) = self.any(None, *index) else {
                    return;
                };
                batch.hashes_mut().push(engine_hash(&prefix));
                batch.stored(super::rig::origin(0, None, TIERS[*tier]));
                self.pages[*tier].insert(prefix);
            }
            Step::Remove(index, tier) => {
                let Some(prefix) = self.any(Some(*tier), *index) else {
                    return;
                };
                batch.hashes_mut().push(engine_hash(&prefix));
                batch.removed(TIERS[*tier], Some(0));
                self.pages[*tier].remove(&prefix);
            }
            Step::Clear => {
                batch.cleared();
                self.pages = <[BTreeSet<Vec<u32>>; 3]>::default();
            }
        }
    }

    /// From the first page that is known nowhere, as an engine does, or all again where all are known.
    fn store(&mut self, prompt: &[u32], tier: usize, batch: &mut KvBatch) {
        let pages = prompt.len() / self.page;
        let known = (0..pages)
            .take_while(|page| self.is_known(&prompt[..(page + 1) * self.page]))
            .count();
        let from = if known == pages { 0 } else { known };
        if pages == 0 {
            return;
        }
        store(batch, prompt, self.page, from, TIERS[tier]);
        for page in from..pages {
            self.pages[tier].insert(prompt[..(page + 1) * self.page].to_vec());
        }
    }
}

fn run(page: usize, own: usize, steps: &[Vec<Step>]) {
    let own_tokens = u32::try_from(own).expect("small");
    let mut tracker = FeedTracker::new(EndpointId(3), &config(own_tokens));
    let mut oracle = Oracle {
        page,
        own,
        ..Oracle::default()
    };
    let (mut told, mut batch) = (Told::default(), KvBatch::new());
    for (seq, steps) in (0..).zip(steps) {
        batch.reset(None, None);
        for step in steps {
            oracle.apply(step, &mut batch);
        }
        assert_eq!(tracker.live(seq, &batch, 0.0, &mut told), FeedStep::Applied);
        assert_eq!(
            told.held,
            oracle.held(),
            "page {page}, own {own}, message {seq}"
        );
    }
    assert_eq!(tracker.trust(), FeedTrust::Exact);
    assert_eq!(tracker.stats().unknown_removed, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_told_is_what_is_held(
        page in prop::sample::select(vec![1_usize, 2, 8, 16, 24, 32, 64]),
        own in prop::sample::select(vec![1_usize, 5, 16, 32]),
        steps in prop::collection::vec(prop::collection::vec(step(), 1..5), 1..14),
    ) {
        run(page, own, &steps);
    }
}

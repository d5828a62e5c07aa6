//! Any sequence of events, prompts and changes of trust against plain sets.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use proptest::prelude::*;

use super::{ample, at, chains, of};
use crate::{
    BlockHash, EndpointId, Timestamp,
    residency::{Cached, Claim, Keying, Residency, Tier, Trust},
};

type Set = HashSet<BlockHash>;

const TIERS: [Tier; 3] = [Tier::Device, Tier::Host, Tier::Disk];
const GRACE: Duration = Duration::from_secs(2);

/// A prompt that was placed and not settled.
struct Open {
    prompt: Vec<BlockHash>,
    keying: Keying,
    claim: Claim,
    grace: Option<Timestamp>,
}

/// What one endpoint has.
#[derive(Default)]
struct Plain {
    tiers: [Set; 3],
    open: Vec<Open>,
    history: HashMap<BlockHash, Keying>,
    /// Own blocks that an event removed since they were last placed.
    removed: Set,
    trust: Trust,
}

impl Plain {
    fn keep(&mut self, prompt: &[BlockHash], keying: Keying) {
        for &block in prompt {
            self.history.entry(block).or_insert(keying);
        }
    }

    fn expire(&mut self, now: Timestamp) {
        let is_over = |open: &mut Open| open.grace.is_some_and(|until| until <= now);
        let over: Vec<_> = self.open.extract_if(.., is_over).collect();
        for open in over.iter().filter(|_| self.trust != Trust::Exact) {
            for &block in &open.prompt {
                self.history.entry(block).or_insert(open.keying);
            }
        }
    }

    fn serve(&mut self, which: usize, now: Timestamp) {
        if self.open[which].keying == Keying::Tokens && self.trust == Trust::Exact {
            self.open[which].grace = Some(now.after(GRACE));
        } else {
            let open = self.open.remove(which);
            self.keep(&open.prompt, open.keying);
        }
    }

    fn set_trust(&mut self, trust: Trust) {
        if trust == Trust::Exact && self.trust != trust {
            self.history.retain(|_, keying| *keying == Keying::Bytes);
        }
        if trust == Trust::Fallback && self.trust != trust {
            self.tiers = Default::default();
        }
        self.trust = trust;
    }

    fn has_own(&self, block: BlockHash) -> bool {
        let is_open = || self.open.iter().any(|open| open.prompt.contains(&block));
        !self.removed.contains(&block) && (self.history.contains_key(&block) || is_open())
    }

    fn cached(&self, query: &[BlockHash]) -> Cached {
        let leading = |has: &dyn Fn(BlockHash) -> bool| {
            let count = query.iter().take_while(|block| has(**block)).count();
            u32::try_from(count).expect("a short chain")
        };
        let (device, own) = (
            leading(&|block| self.tiers[0].contains(&block)),
            leading(&|block| self.has_own(block)),
        );
        let any = leading(&|block| self.tiers.iter().any(|tier| tier.contains(&block)));
        Cached {
            device,
            lower: any.saturating_sub(device.max(own)),
            own,
        }
    }
}

#[derive(Clone, Debug)]
enum Op {
    Stored(usize, Stretch),
    Removed(usize, Stretch),
    LostBlocks(usize, Stretch),
    Placed(Stretch),
    Served(prop::sample::Index),
    Failed(prop::sample::Index),
    Wait(u64),
    Trust(Trust),
    Cleared,
    Lost,
    Forget,
    Retire,
}

#[derive(Clone, Debug)]
struct Stretch {
    chain: prop::sample::Index,
    from: usize,
    len: usize,
}

impl Stretch {
    fn of<'a>(&self, world: &'a [Vec<BlockHash>]) -> (usize, &'a [BlockHash], Option<BlockHash>) {
        let which = self.chain.index(world.len());
        let chain = &world[which];
        let from = self.from.min(chain.len() - 1);
        let blocks = &chain[from..chain.len().min(from + self.len)];
        (
            which,
            blocks,
            from.checked_sub(1).map(|before| chain[before]),
        )
    }
}

fn stretch(from: usize) -> impl Strategy<Value = Stretch> {
    (any::<prop::sample::Index>(), 0..=from, 1..100_usize).prop_map(|(chain, from, len)| Stretch {
        chain,
        from,
        len,
    })
}

fn op() -> impl Strategy<Value = Op> {
    let any_index = any::<prop::sample::Index>;
    let trusts = vec![Trust::Exact, Trust::Exact, Trust::Degraded, Trust::Fallback];
    prop_oneof![
        4 => (0..3_usize, stretch(0)).prop_map(|(tier, at)| Op::Stored(tier, at)),
        4 => (0..3_usize, stretch(60)).prop_map(|(tier, at)| Op::Stored(tier, at)),
        4 => (0..3_usize, stretch(60)).prop_map(|(tier, at)| Op::Removed(tier, at)),
        1 => (0..3_usize, stretch(60)).prop_map(|(tier, at)| Op::LostBlocks(tier, at)),
        8 => stretch(0).prop_map(Op::Placed),
        5 => any_index().prop_map(Op::Served),
        2 => any_index().prop_map(Op::Failed),
        3 => (0..1_500_u64).prop_map(Op::Wait),
        2 => prop::sample::select(trusts).prop_map(Op::Trust),
        1 => prop_oneof![Just(Op::Cleared), Just(Op::Lost)],
        1 => prop_oneof![Just(Op::Forget), Just(Op::Retire)],
    ]
}

struct World {
    residency: Residency,
    chains: Vec<Vec<BlockHash>>,
    millis: u64,
}

impl World {
    /// Chains of even number are made of tokens, the others of bytes.
    fn keying(which: usize) -> Keying {
        [Keying::Tokens, Keying::Bytes][which % 2]
    }

    fn apply(&mut self, endpoint: EndpointId, plain: &mut Plain, op: &Op) {
        match op {
            Op::Stored(tier, at) => {
                let (_, blocks, parent) = at.of(&self.chains);
                self.residency
                    .stored(endpoint, TIERS[*tier], parent, blocks);
                plain.tiers[*tier].extend(blocks);
            }
            Op::Removed(tier, at) => {
                let (_, blocks, _) = at.of(&self.chains);
                self.residency.removed(endpoint, TIERS[*tier], blocks);
                plain.tiers[*tier].retain(|block| !blocks.contains(block));
                if *tier == 0 {
                    plain.removed.extend(blocks);
                }
            }
            Op::LostBlocks(tier, at) => {
                let (_, blocks, _) = at.of(&self.chains);
                self.residency.lost_blocks(endpoint, TIERS[*tier], blocks);
                plain.tiers[*tier].retain(|block| !blocks.contains(block));
            }
            Op::Placed(at) => self.place(endpoint, plain, at),
            Op::Served(which) => self.settle(endpoint, plain, *which, true),
            Op::Failed(which) => self.settle(endpoint, plain, *which, false),
            Op::Wait(span) => {
                self.millis += span;
                self.residency.expire(endpoint, at(self.millis));
                plain.expire(at(self.millis));
            }
            Op::Trust(trust) => {
                self.residency.set_trust(endpoint, *trust);
                plain.set_trust(*trust);
            }
            Op::Cleared => {
                self.residency.cleared(endpoint);
                plain.tiers = Default::default();
                plain.history.clear();
                plain.open.retain(|open| open.grace.is_none());
            }
            Op::Lost => {
                self.residency.lost(endpoint);
                plain.tiers = Default::default();
            }
            Op::Forget => {
                self.residency.forget(endpoint);
                let trust = plain.trust;
                *plain = Plain {
                    trust,
                    ..Plain::default()
                };
            }
            Op::Retire => {
                self.residency.retire(endpoint);
                *plain = Plain::default();
            }
        }
    }

    fn place(&self, endpoint: EndpointId, plain: &mut Plain, stretch: &Stretch) {
        let now = at(self.millis);
        plain.expire(now);
        let (which, prompt, _) = stretch.of(&self.chains);
        let keying = Self::keying(which);
        let claim = self.residency.placed(endpoint, prompt, keying, now);
        plain.removed.retain(|block| !prompt.contains(block));
        plain.open.push(Open {
            prompt: prompt.to_vec(),
            keying,
            claim,
            grace: None,
        });
    }

    /// Settles one of the prompts without a first token.
    fn settle(
        &self,
        endpoint: EndpointId,
        plain: &mut Plain,
        which: prop::sample::Index,
        is_served: bool,
    ) {
        let now = at(self.millis);
        plain.expire(now);
        let waiting = (0..plain.open.len()).filter(|&n| plain.open[n].grace.is_none());
        let waiting: Vec<_> = waiting.collect();
        if waiting.is_empty() {
            self.residency.expire(endpoint, now);
            return;
        }
        let which = *which.get(&waiting);
        let claim = plain.open[which].claim;
        if is_served {
            self.residency.served(claim, now);
            plain.serve(which, now);
        } else {
            self.residency.failed(claim, now);
            plain.open.remove(which);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_lane_equals_plain_sets_after_every_step(
        seed in any::<u64>(),
        ops in prop::collection::vec((0..3_usize, op()), 1..80),
    ) {
        let mut chains: Vec<_> = chains(seed, 6, 90);
        // Bytes and tokens never make the same hashes.
        let bytes = super::chains(!seed, 6, 90);
        chains = chains.into_iter().zip(bytes).flat_map(|(tokens, bytes)| [tokens, bytes]).collect();
        let mut world = World { residency: Residency::new(ample()), chains, millis: 0 };
        let endpoints = [EndpointId(0), EndpointId(65), EndpointId(4_095)];
        let mut plain: [Plain; 3] = Default::default();
        for (which, op) in &ops {
            world.apply(endpoints[*which], &mut plain[*which], op);
            for (endpoint, plain) in endpoints.iter().zip(&plain) {
                for chain in &world.chains {
                    prop_assert_eq!(of(&world.residency, *endpoint, chain), plain.cached(chain));
                }
            }
        }
        for endpoint in endpoints {
            world.residency.forget(endpoint);
        }
        let stats = world.residency.stats();
        prop_assert_eq!((stats.own_blocks, stats.index.blocks, stats.index.holders), (0, 0, 0));
    }
}

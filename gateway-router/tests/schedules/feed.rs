//! What an engine tells of its cache, with messages that are missed, late, dated wrongly or made up.

use std::{sync::Arc, time::Duration};

use gateway_router::core::{
    EndpointId, Rng,
    kvfeed::{EndpointFeed, EngineHash, FeedConfig, FeedTrust, KvBatch, Origin, Tier, token_seed},
    residency::{Residency, Trust},
};
use tokio::time::sleep;

use crate::{engine::Engine, world::World};

const BLOCK_TOKENS: usize = 16;
const EVERY: Duration = Duration::from_millis(300);
/// How far clocks go wrong.
const HOUR_SECS: f64 = 3_600.0;

pub(crate) struct Gossip {
    pub(crate) engine: Arc<Engine>,
    pub(crate) world: Arc<World>,
    pub(crate) rng: Rng,
    pub(crate) feed: Option<(EndpointId, EndpointFeed)>,
    pub(crate) seq: u64,
}

impl Gossip {
    pub(crate) async fn run(mut self) {
        loop {
            sleep(EVERY).await;
            self.tell();
        }
    }

    fn tell(&mut self) {
        let fleet = self.world.rig.router.fleet();
        let Some(endpoint) = fleet.by_name(self.engine.name) else {
            self.feed = None;
            return;
        };
        let mut residency: &Residency = fleet.residency();
        let trouble = self.rng.below(12);
        if trouble == 0 {
            // The subscription is lost.
            self.feed = None;
            residency.lost(endpoint.id());
            return residency.set_trust(endpoint.id(), Trust::Fallback);
        }
        let batch = self.batch(trouble);
        let is_known = |(id, _): &(EndpointId, _)| *id == endpoint.id();
        let (_, feed) = match self.feed.take().filter(is_known) {
            Some(known) => self.feed.insert(known),
            None => {
                let feed = EndpointFeed::new(endpoint.id(), 1, &FeedConfig::default());
                self.feed.insert((endpoint.id(), feed))
            }
        };
        match trouble {
            // A message is missed, and cannot be had again.
            1 => self.seq += 1,
            2 => _ = feed.replay_failed(0, &mut residency),
            3 => _ = feed.replay_ended(0, &mut residency),
            // The engine counts from the start again.
            4 => self.seq = 0,
            _ => {}
        }
        let _step = feed.live(0, self.seq, &batch, 0.0, &mut residency);
        self.seq += 1;
        let trust = match feed.trust() {
            FeedTrust::Exact => Trust::Exact,
            FeedTrust::Degraded(_) => Trust::Degraded,
            FeedTrust::Fallback => Trust::Fallback,
        };
        residency.set_trust(endpoint.id(), trust);
    }

    fn batch(&mut self, trouble: usize) -> KvBatch {
        let mut batch = KvBatch::new();
        let published = match trouble {
            5 => HOUR_SECS,
            6 => -HOUR_SECS,
            _ => 0.0,
        };
        batch.reset(Some(published), None);
        if trouble == 7 {
            batch.cleared();
        }
        let mut prompts = self.engine.new_prompts();
        if trouble == 8 {
            // Nobody has asked for this.
            prompts.push((0..64_u32).map(|at| u32::from(b'A') + at).collect());
        }
        for prompt in prompts {
            store(&mut batch, &prompt);
        }
        batch
    }
}

fn store(batch: &mut KvBatch, prompt: &[u32]) {
    let mut hash = 17_u64;
    for block in prompt.chunks_exact(BLOCK_TOKENS) {
        for id in block {
            hash = (hash ^ u64::from(*id)).wrapping_mul(0x0100_0000_01b3);
        }
        batch.hashes_mut().push(EngineHash(hash));
        batch.tokens_mut().extend_from_slice(block);
    }
    batch.stored(Origin {
        parent: None,
        block_tokens: BLOCK_TOKENS as u32,
        seed: token_seed(b"", b""),
        tier: Tier::Device,
        group: 0,
        dense: true,
    });
}

//! What engines say about their KV caches: events in, the router's own chained [block hashes](crate::hash) out.
//!
//! A codec fills [`KvBatch`]es, an [`EndpointFeed`] follows them (one [`FeedTracker`] for each data-parallel rank) and
//! writes what they mean to a [`KvSink`].
//!
//! ```
//! use gateway_core::kvfeed::{EndpointFeed, EngineHash, FeedConfig, FeedStep, FeedTrust, KvBatch, KvSink, Origin, Tier, token_seed};
//! use gateway_core::{BlockHash, EndpointId, hash};
//!
//! #[derive(Default)]
//! struct Held(Vec<BlockHash>);
//!
//! impl KvSink for Held {
//!     fn stored(&mut self, _: EndpointId, _: Tier, _: Option<BlockHash>, blocks: &[BlockHash]) {
//!         self.0.extend(blocks);
//!     }
//!     fn removed(&mut self, _: EndpointId, _: Tier, blocks: &[BlockHash]) {
//!         self.0.retain(|held| !blocks.contains(held));
//!     }
//!     fn cleared(&mut self, _: EndpointId) {
//!         self.0.clear();
//!     }
//! }
//!
//! // The engine stores one block of 32 tokens under a hash of its own.
//! let prompt: Vec<u32> = (0..32).collect();
//! let mut batch = KvBatch::new();
//! batch.hashes_mut().push(EngineHash(7));
//! batch.tokens_mut().extend(&prompt);
//! batch.stored(Origin { parent: None, block_tokens: 32, seed: token_seed(b"", b""), tier: Tier::Device, group: 0, dense: true });
//!
//! let mut feed = EndpointFeed::new(EndpointId(0), 1, &FeedConfig::default());
//! let mut held = Held::default();
//! assert_eq!(feed.live(0, 0, &batch, 0.0, &mut held), FeedStep::Applied);
//! assert_eq!(feed.trust(), FeedTrust::Exact);
//!
//! // The router knows it as two blocks of 16, by the keys of the prompt itself.
//! let mut keys = Vec::new();
//! hash::hash_tokens(token_seed(b"", b""), &prompt, 16, &mut keys);
//! assert_eq!(held.0, keys);
//! ```
//!
//! # Contract
//!
//! - An own block is in a tier while all its tokens lie in blocks of the engine that are in that tier; the two block
//!   lengths need not divide one another. A block half in one tier and half in another is in neither.
//! - Engine hashes are names, never recomputed. Two of them for the same tokens (as when an engine changes its hash) are
//!   one own block, which is gone when the first of them goes: less may be known than is there, never more.
//! - Blocks behind an unknown one are not taken, because their keys depend on it; they are counted, and trust falls until
//!   the engine clears its cache or has long evicted nothing but what is known.
//! - Everything is bounded by [`FeedConfig`]; whatever is refused is counted in [`FeedStats`].

mod batch;
mod blocks;
mod config;
mod cover;
mod endpoint;
mod key;
mod node;
mod nodes;
mod shared;
mod sink;
mod source;
mod spans;
#[cfg(test)]
mod tests;
mod tracker;
mod trust;
mod union;

pub use batch::{EngineHash, KvBatch, KvEvent, Origin, Removed, Stored};
pub use config::FeedConfig;
pub use endpoint::EndpointFeed;
pub use key::{Mark, token_seed};
pub use sink::KvSink;
pub use tracker::{FeedStep, FeedTracker};
pub use trust::{FeedStats, FeedTrust, Weakness};

pub use crate::residency::Tier;

//! What engines say about their KV caches: events in, the router's own chained [block hashes](crate::hash) out.

mod batch;
mod key;
mod tier;

pub use batch::{EngineHash, KvBatch, KvEvent, Origin, Removed, Stored};
pub use key::{Mark, token_seed};
pub use tier::Tier;

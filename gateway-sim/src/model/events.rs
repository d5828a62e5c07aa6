//! What the KV cache tells the outside.

use gateway_core::BlockHash;

/// One change of the KV cache, in the terms of vLLM's KV events.
///
/// A block is announced once, when the first sequence has computed it; a second sequence that computes the same block at
/// the same time keeps a private copy, which is never announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KvEvent {
    /// Blocks that may be reused from now on, in prompt order.
    Stored {
        /// Their hashes, each chained over all before it.
        hashes: Vec<BlockHash>,
        /// The block before the first of them, none where that one starts a prompt.
        parent: Option<BlockHash>,
        /// Their tokens: number of hashes times block size.
        tokens: Vec<u32>,
    },
    /// A block that was evicted.
    Removed {
        /// Its hash.
        hash: BlockHash,
    },
    /// The whole cache was dropped.
    Cleared,
}

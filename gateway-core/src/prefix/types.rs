//! What goes into the index beside blocks, and what comes out.

use super::holder::Lane;

/// How large an index may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixIndexConfig {
    /// The most bytes the index may occupy; at about 20 bytes for a block and its holder. Below some four kilobytes
    /// nothing fits; above four gigabytes for runs alone the rest is not used.
    pub budget_bytes: usize,
}

impl Default for PrefixIndexConfig {
    /// 32 MiB: about 1.6 million blocks.
    fn default() -> Self {
        Self {
            budget_bytes: 32 << 20,
        }
    }
}

/// What a store did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreOutcome {
    /// Blocks that the holder was not known to hold before.
    pub new_holders: usize,
    /// Blocks, of any holder, that had to make room.
    pub evicted_blocks: usize,
    /// Blocks, the last of those given, for which no room could be made, or all if the endpoint's number is out of
    /// range.
    pub rejected: usize,
}

/// The size of an index and what it lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrefixStats {
    /// Distinct blocks known, with those that nobody holds any more but that others follow.
    pub blocks: usize,
    /// Pairs of a block and a holder.
    pub holders: usize,
    /// The same by lane, in the order of [`Lane::ALL`].
    pub by_lane: [usize; Lane::ALL.len()],
    /// Runs that the blocks form.
    pub runs: usize,
    /// Bytes allocated.
    pub bytes: usize,
    /// Blocks evicted since the start.
    pub evicted_blocks: u64,
    /// Pairs of a block and a holder evicted since the start.
    pub evicted_holders: u64,
    /// Blocks rejected since the start.
    pub rejected_blocks: u64,
}

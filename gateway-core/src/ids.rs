//! Identifiers that cross every module of the decision core.

use std::fmt;

/// The dense number of an endpoint, given by the fleet that lists it.
///
/// Numbers are small and reused only after an endpoint has left the fleet for good, so they index bit sets and tables
/// directly. A fleet keeps the number of an endpoint whose name survives a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(pub u16);

impl EndpointId {
    /// The most endpoints one fleet may hold.
    pub const LIMIT: usize = 4096;

    /// The number as a table index.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The hash of one KV block chained over all blocks before it.
///
/// Because each hash covers its whole prefix, two equal hashes mean two equal prefixes, up to and including this block.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash(pub u64);

impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

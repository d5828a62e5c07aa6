//! The answer to a lookup.

use crate::{
    EndpointId,
    prefix::{Holder, Lane, PrefixMatches},
};

/// What one endpoint has of a prompt, in leading blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cached {
    /// On the device, by events.
    pub device: u32,
    /// Further blocks, after the first `device.max(own)`, that lie in a lower tier and would have to be loaded.
    pub lower: u32,
    /// On the device by this router's own knowledge: on their way there, or served there before.
    pub own: u32,
}

impl Cached {
    /// Blocks believed to be on the device when the prompt's turn comes, by either source.
    #[must_use]
    pub fn near(&self) -> u32 {
        self.device.max(self.own)
    }

    /// Blocks that need not be computed, wherever they lie.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.near() + self.lower
    }
}

/// What each endpoint has of a prompt.
///
/// Keep one per task or thread and hand it to every [`lookup`](super::Residency::lookup): it allocates only while it
/// grows to the fleet's size.
#[derive(Clone, Debug, Default)]
pub struct Residents(pub(super) PrefixMatches);

impl Residents {
    /// An empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What `endpoint` has.
    #[must_use]
    pub fn of(&self, endpoint: EndpointId) -> Cached {
        let blocks = |lane| self.0.blocks(Holder::new(endpoint, lane));
        let (device, own) = (blocks(Lane::Device), blocks(Lane::Own));
        let lower = blocks(Lane::Resident).saturating_sub(device.max(own));
        Cached { device, lower, own }
    }

    /// The endpoints that have at least the first block, each once, lowest number first.
    pub fn iter(&self) -> impl Iterator<Item = (EndpointId, Cached)> {
        let endpoints = self.0.endpoints();
        endpoints.map(|endpoint| (endpoint, self.of(endpoint)))
    }

    /// Forgets the last answer and keeps the memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

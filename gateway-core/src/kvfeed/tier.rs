//! Where an engine keeps a block.

/// Where a block lies, by what it takes to use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// In the accelerator's memory: nothing to do.
    Device,
    /// In the memory of the engine's host: loads fast.
    Host,
    /// On a disk or in a store outside.
    Disk,
}

impl Tier {
    /// All tiers, the fastest first.
    pub const ALL: [Self; 3] = [Self::Device, Self::Host, Self::Disk];

    /// Its place in [`ALL`](Self::ALL).
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

//! How much a store keeps, and for how long.

use super::StoreError;

const MIB: u64 = 1 << 20;
const DAY_SECONDS: u32 = 24 * 60 * 60;

/// How much a store keeps, and for how long. What is beyond goes, the longest unused first; use is a change, or being part
/// of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A record ends this long after its last use.
    pub lifetime_seconds: u32,
    /// Most records.
    pub records: u64,
    /// Most bytes of all records: their text, and a flat estimate for what keeping them costs.
    pub bytes: u64,
    /// Most bytes of one record.
    pub record_bytes: u64,
    /// Most records that one history comes from.
    pub history_records: u32,
    /// Most bytes of the records that one history comes from.
    pub history_bytes: u64,
}

impl Limits {
    /// A day, 65,536 records and 256 MiB.
    #[must_use]
    pub fn memory() -> Self {
        Self {
            lifetime_seconds: DAY_SECONDS,
            records: 1 << 16,
            bytes: 256 * MIB,
            record_bytes: 16 * MIB,
            history_records: 1024,
            history_bytes: 32 * MIB,
        }
    }

    /// Thirty days, a million records and 16 GiB.
    #[must_use]
    pub fn database() -> Self {
        Self {
            lifetime_seconds: 30 * DAY_SECONDS,
            records: 1 << 20,
            bytes: 16 * 1024 * MIB,
            ..Self::memory()
        }
    }

    /// When a record used at `now` ends.
    pub(super) fn end(&self, now: i64) -> i64 {
        now.saturating_add(self.lifetime_seconds.into())
    }

    /// The most that one record may hold.
    pub(super) fn largest(&self) -> u64 {
        self.record_bytes.min(self.bytes)
    }

    pub(super) fn fits(&self, bytes: u64) -> Result<(), StoreError> {
        if bytes > self.largest() {
            return Err(self.too_large());
        }
        Ok(())
    }

    pub(super) fn too_large(&self) -> StoreError {
        StoreError::TooLarge {
            limit_bytes: self.largest(),
        }
    }

    pub(super) fn too_long(&self) -> StoreError {
        StoreError::HistoryTooLong {
            limit_records: self.history_records,
            limit_bytes: self.history_bytes,
        }
    }
}

/// What a store holds and what it let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Records held. Of a shared database: as counted by the last sweep, with what this process did since.
    pub records: u64,
    /// Bytes held, in the same way.
    pub bytes: u64,
    /// Records that this process let go for want of room.
    pub evicted: u64,
    /// Records that this process let go at their end.
    pub expired: u64,
}

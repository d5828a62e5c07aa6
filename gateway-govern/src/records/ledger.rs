//! What a database holds, as far as this process knows.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::{Limits, Usage};

/// Counts of a database: measured now and then, and carried on by this process's own changes between.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    records: AtomicI64,
    bytes: AtomicI64,
    evicted: AtomicU64,
    expired: AtomicU64,
}

/// How much is too much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Excess {
    pub(super) records: i64,
    pub(super) bytes: i64,
}

impl Ledger {
    /// Takes in what the database says of itself.
    pub(super) fn measured(&self, records: i64, bytes: i64) {
        self.records.store(records, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Takes in a change of this process. Where the exact number is not known a larger one will do: it is measured again
    /// before anything is let go.
    pub(super) fn changed(&self, records: i64, bytes: i64) {
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn evicted(&self, records: u64) {
        self.evicted.fetch_add(records, Ordering::Relaxed);
    }

    pub(super) fn expired(&self, records: u64) {
        self.expired.fetch_add(records, Ordering::Relaxed);
    }

    /// What has to go, if anything: with a sixteenth of the bound to spare, so that not every change has to make room.
    pub(super) fn excess(&self, limits: &Limits) -> Option<Excess> {
        let records = over(self.records.load(Ordering::Relaxed), limits.records);
        let bytes = over(self.bytes.load(Ordering::Relaxed), limits.bytes);
        (records > 0 || bytes > 0).then_some(Excess { records, bytes })
    }

    pub(super) fn usage(&self) -> Usage {
        let count = |number: &AtomicI64| number.load(Ordering::Relaxed).try_into().unwrap_or(0);
        Usage {
            records: count(&self.records),
            bytes: count(&self.bytes),
            evicted: self.evicted.load(Ordering::Relaxed),
            expired: self.expired.load(Ordering::Relaxed),
        }
    }
}

fn over(held: i64, limit: u64) -> i64 {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    if held > limit {
        held - (limit - limit / 16)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_made_with_some_to_spare() {
        let ledger = Ledger::default();
        let limits = Limits {
            records: 16,
            bytes: 160,
            ..Limits::memory()
        };
        ledger.measured(16, 160);
        assert_eq!(ledger.excess(&limits), None);
        ledger.changed(1, 0);
        let excess = ledger.excess(&limits).unwrap();
        assert_eq!(
            excess,
            Excess {
                records: 2,
                bytes: 0
            }
        );
        ledger.measured(-1, 161);
        let excess = ledger.excess(&limits).unwrap();
        assert_eq!(
            excess,
            Excess {
                records: 0,
                bytes: 11
            }
        );
        assert_eq!(ledger.usage().records, 0);
    }
}

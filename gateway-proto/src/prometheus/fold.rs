//! Many series of one name folded into one number.
//!
//! Data-parallel ranks are engines of their own: their requests add up, and the fullest one speaks for the KV cache.
//! Tensor- and pipeline-parallel ranks are parts of one engine and report the same thing each: one of them is taken.
//! Other labels (`is_streaming`, `cache_source`) split one quantity, so their series add up.

/// The most data-parallel ranks that are told apart; more are dropped and counted.
const MAX_RANKS: usize = 512;

/// Where a series comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// Data-parallel rank.
    pub(super) rank: u32,
    /// Part of that engine: pipeline rank, then tensor rank.
    pub(super) shard: (u32, u32),
}

/// How series of one rank combine, and ranks with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Sum,
    Max,
}

#[derive(Debug)]
struct Entry {
    origin: Origin,
    value: f64,
}

/// The series of one metric.
#[derive(Debug, Default)]
pub(super) struct Fold {
    entries: Vec<Entry>,
}

impl Fold {
    /// Adds a series; false when there are too many ranks.
    pub(super) fn add(&mut self, origin: Origin, value: f64, rule: Rule) -> bool {
        if let Some(entry) = self
            .entries
            .iter_mut()
            .find(|entry| entry.origin.rank == origin.rank)
        {
            entry.add(origin, value, rule);
            return true;
        }
        let room = self.entries.len() < MAX_RANKS;
        if room {
            self.entries.push(Entry { origin, value });
        }
        room
    }

    /// All ranks in one number; `None` without any.
    pub(super) fn total(&self, rule: Rule) -> Option<f64> {
        self.entries
            .iter()
            .map(|entry| entry.value)
            .reduce(|a, b| rule.combine(a, b))
    }
}

impl Entry {
    fn add(&mut self, origin: Origin, value: f64, rule: Rule) {
        if origin.shard < self.origin.shard {
            *self = Self { origin, value };
        } else if origin.shard == self.origin.shard {
            self.value = rule.combine(self.value, value);
        }
    }
}

impl Rule {
    fn combine(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Sum => a + b,
            Self::Max => a.max(b),
        }
    }
}

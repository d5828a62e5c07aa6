//! Signs of life: when something generated last came, and whether the engine's own counters move.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::{Timestamp, load::Telemetry};

/// No time at all.
const NEVER: u64 = u64::MAX;

/// What is heard of one endpoint. Whoever relays its tokens says so; where nobody does, as in a simulation, silence means
/// nothing and is never held against it.
#[derive(Debug)]
pub(crate) struct Signs {
    heard: AtomicU64,
    stands_since: AtomicU64,
    read_at: AtomicU64,
}

impl Default for Signs {
    fn default() -> Self {
        Self {
            heard: AtomicU64::new(NEVER),
            stands_since: AtomicU64::new(NEVER),
            read_at: AtomicU64::new(NEVER),
        }
    }
}

impl Signs {
    /// Something generated has come.
    pub(crate) fn heard(&self, now: Timestamp) {
        self.heard.store(now.as_micros(), Relaxed);
    }

    /// A request was sent by somebody who says what he hears; `is_first` where the endpoint had none.
    pub(crate) fn sent(&self, is_first: bool, now: Timestamp) {
        if is_first || self.heard.load(Relaxed) == NEVER {
            self.heard(now);
        }
    }

    pub(crate) fn is_listened_to(&self) -> bool {
        self.heard.load(Relaxed) != NEVER
    }

    /// When something came last, where that is longer ago than `floor`.
    pub(crate) fn quiet_since(&self, floor: Duration, now: Timestamp) -> Option<Timestamp> {
        let heard = self.heard.load(Relaxed);
        let at = Timestamp::from_micros(heard);
        (heard != NEVER && now.since(at) > floor).then_some(at)
    }

    /// Two readings, one after the other.
    pub(crate) fn read(&self, before: (Timestamp, &Telemetry), now: (Timestamp, &Telemetry)) {
        self.read_at.store(now.0.as_micros(), Relaxed);
        if stands(before.1, now.1) {
            let first = before.0.as_micros();
            // Where it stood already, it is the first reading that counts.
            let _earlier = self
                .stands_since
                .compare_exchange(NEVER, first, Relaxed, Relaxed);
        } else {
            self.stands_since.store(NEVER, Relaxed);
        }
    }

    /// Whether the counters have stood still for longer than `span`, by readings that are not older than that.
    pub(crate) fn is_stalled(&self, span: Duration, now: Timestamp) -> bool {
        let (since, read) = (self.stands_since.load(Relaxed), self.read_at.load(Relaxed));
        since != NEVER
            && now.since(Timestamp::from_micros(since)) > span
            && now.since(Timestamp::from_micros(read)) <= span
    }
}

/// Whether an engine that ran requests in both readings did nothing in between.
fn stands(before: &Telemetry, now: &Telemetry) -> bool {
    let runs = |reading: &Telemetry| reading.running.is_some_and(|running| running > 0);
    let same = |before: Option<u64>, now: Option<u64>| before == now;
    runs(before)
        && runs(now)
        && now.generation_tokens.is_some()
        && same(before.generation_tokens, now.generation_tokens)
        && same(before.prompt_tokens, now.prompt_tokens)
}

//! The last reading of an engine, kept so that many threads read it without a lock.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::{InFlight, Telemetry};
use crate::Timestamp;

/// Marks a missing count, share or time in the atomics.
const UNKNOWN: u32 = u32::MAX;
const NEVER: u64 = u64::MAX;

/// How long a reading is worth what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelemetryPolicy {
    /// Up to this age a reading is fresh.
    pub stale_after: Duration,
    /// From this age on a reading is as good as none.
    pub forget_after: Duration,
}

impl Default for TelemetryPolicy {
    fn default() -> Self {
        Self {
            stale_after: Duration::from_secs(5),
            forget_after: Duration::from_secs(60),
        }
    }
}

/// How far a reading may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Young enough to exclude an endpoint on its word.
    Fresh,
    /// Its foreign requests still count; it excludes nobody.
    Stale,
    /// Never had or too old: only our own requests count.
    Missing,
}

/// What this router had in flight when a reading was asked for.
#[derive(Clone, Copy, Debug)]
pub struct SampleMark {
    pub(super) asked_at: Timestamp,
    pub(super) ours: InFlight,
}

impl SampleMark {
    /// What was in flight when a reading was taken, for those who kept book.
    pub(crate) const fn new(asked_at: Timestamp, ours: InFlight) -> Self {
        Self { asked_at, ours }
    }
}

#[derive(Debug)]
pub(super) struct Reported {
    sampled_at: AtomicU64,
    foreign_requests: AtomicU32,
    foreign_waiting: AtomicU32,
    kv_used_bits: AtomicU32,
    context_tokens_then: AtomicU64,
    capacity_tokens: AtomicU64,
    foreign_kv_bits: AtomicU32,
}

impl Default for Reported {
    fn default() -> Self {
        Self {
            sampled_at: AtomicU64::new(NEVER),
            foreign_requests: AtomicU32::new(0),
            foreign_waiting: AtomicU32::new(0),
            kv_used_bits: AtomicU32::new(UNKNOWN),
            context_tokens_then: AtomicU64::new(0),
            capacity_tokens: AtomicU64::new(0),
            foreign_kv_bits: AtomicU32::new(0),
        }
    }
}

impl Reported {
    /// Takes a reading in. Between asking and answering our own count may have moved, so the larger of the two counts
    /// is taken as ours: rather no foreign work than work counted twice.
    pub(super) fn apply(&self, mark: &SampleMark, now: InFlight, reading: &Telemetry) {
        let ours = mark.ours.requests.max(now.requests);
        let ours_waiting = mark.ours.prefilling.max(now.prefilling);
        let total = reading
            .running
            .unwrap_or(0)
            .saturating_add(reading.waiting.unwrap_or(0));
        self.foreign_requests
            .store(total.saturating_sub(ours), Relaxed);
        self.foreign_waiting.store(
            reading.waiting.unwrap_or(0).saturating_sub(ours_waiting),
            Relaxed,
        );
        self.kv_used_bits
            .store(reading.kv_used.map_or(UNKNOWN, f32::to_bits), Relaxed);
        self.context_tokens_then.store(now.context_tokens, Relaxed);
        if let Some(capacity) = reading.kv_capacity_tokens {
            self.capacity_tokens.store(capacity, Relaxed);
        }
        let capacity = self.capacity_tokens().unwrap_or(0);
        let foreign_kv = match reading.kv_used {
            Some(used) if capacity > 0 => {
                (used - share(mark.ours.active_tokens, capacity)).max(0.0)
            }
            _ => 0.0,
        };
        // Without foreign requests it is our own cache that grew past what we counted.
        let foreign_kv = if total > ours { foreign_kv } else { 0.0 };
        self.foreign_kv_bits.store(foreign_kv.to_bits(), Relaxed);
        self.sampled_at.store(mark.asked_at.as_micros(), Relaxed);
    }

    pub(super) fn freshness(&self, policy: &TelemetryPolicy, now: Timestamp) -> Freshness {
        let at = self.sampled_at.load(Relaxed);
        if at == NEVER {
            return Freshness::Missing;
        }
        let age = now.since(Timestamp::from_micros(at));
        if age <= policy.stale_after {
            Freshness::Fresh
        } else if age < policy.forget_after {
            Freshness::Stale
        } else {
            Freshness::Missing
        }
    }

    /// Tokens the KV cache holds, where the engine says so.
    pub(super) fn capacity_tokens(&self) -> Option<u64> {
        Some(self.capacity_tokens.load(Relaxed)).filter(|&tokens| tokens > 0)
    }

    /// Share of the KV cache that requests of others hold.
    pub(super) fn foreign_kv_share(&self) -> f32 {
        f32::from_bits(self.foreign_kv_bits.load(Relaxed))
    }

    pub(super) fn foreign(&self) -> (u32, u32) {
        (
            self.foreign_requests.load(Relaxed),
            self.foreign_waiting.load(Relaxed),
        )
    }

    /// KV use now: the reading, moved by what our own requests have added or given back since.
    pub(super) fn kv_used(&self, ours: &InFlight) -> Option<f32> {
        let bits = self.kv_used_bits.load(Relaxed);
        if bits == UNKNOWN {
            return None;
        }
        let then = self.context_tokens_then.load(Relaxed);
        let capacity = self.capacity_tokens.load(Relaxed);
        let moved = if capacity == 0 {
            0.0
        } else {
            share(ours.context_tokens, capacity) - share(then, capacity)
        };
        Some((f32::from_bits(bits) + moved).clamp(0.0, 1.0))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share needs no more than a float's precision"
)]
fn share(tokens: u64, capacity: u64) -> f32 {
    tokens as f32 / capacity as f32
}

//! Slow start: the growing share of an endpoint that is new or back.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::Timestamp;

/// The share it begins with: enough to warm up and to be judged.
const LEAST: f64 = 0.1;

/// Not ramping.
const NONE: u64 = u64::MAX;
/// Begins with the first look at it: whoever adds an endpoint has no clock.
const PENDING: u64 = u64::MAX - 1;

/// When an endpoint's share began to grow. One atomic load where it does not.
#[derive(Debug)]
pub(crate) struct Ramp {
    since: AtomicU64,
    span: Duration,
}

impl Ramp {
    pub(crate) fn new(span: Duration) -> Self {
        Self {
            since: AtomicU64::new(NONE),
            span,
        }
    }

    pub(crate) fn begin(&self, now: Timestamp) {
        if !self.span.is_zero() {
            self.since.store(now.as_micros().min(PENDING - 1), Relaxed);
        }
    }

    pub(crate) fn begin_when_seen(&self) {
        if !self.span.is_zero() {
            self.since.store(PENDING, Relaxed);
        }
    }

    /// Above 0 to 1.
    pub(crate) fn share(&self, now: Timestamp) -> f32 {
        let since = self.since.load(Relaxed);
        if since == NONE {
            return 1.0;
        }
        if since == PENDING {
            self.begin(now);
            return LEAST as f32;
        }
        let passed = now.since(Timestamp::from_micros(since));
        if passed < self.span {
            let grown = passed.as_secs_f64() / self.span.as_secs_f64();
            return (LEAST + (1.0 - LEAST) * grown) as f32;
        }
        // Only if nobody began anew meanwhile; then the next look finds the newer beginning.
        let _newer = self.since.compare_exchange(since, NONE, Relaxed, Relaxed);
        1.0
    }
}

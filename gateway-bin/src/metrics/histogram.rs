//! A histogram that takes one value at a time or buckets that were counted elsewhere.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::text::Page;

/// Upper ends of the buckets for whole requests and first tokens, in microseconds.
pub(super) const LONG_MICROS: [u64; 14] = [
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
];

/// Upper ends of the buckets for decisions, in microseconds.
pub(super) const SHORT_MICROS: [u64; 9] = [1, 2, 5, 10, 25, 50, 100, 1_000, 10_000];

/// Counts times by buckets of microseconds; the last bucket is open.
#[derive(Debug)]
pub(super) struct Histogram {
    ends: &'static [u64],
    buckets: Box<[AtomicU64]>,
    sum_micros: AtomicU64,
}

impl Histogram {
    pub(super) fn new(ends: &'static [u64]) -> Self {
        Self {
            ends,
            buckets: (0..=ends.len()).map(|_| AtomicU64::new(0)).collect(),
            sum_micros: AtomicU64::new(0),
        }
    }

    pub(super) fn observe(&self, time: Duration) {
        self.observe_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    pub(super) fn observe_micros(&self, micros: u64) {
        let bucket = self.ends.partition_point(|&end| end < micros);
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.sum_micros.fetch_add(micros, Relaxed);
    }

    /// Whether nothing was observed.
    pub(super) fn is_empty(&self) -> bool {
        self.buckets.iter().all(|count| count.load(Relaxed) == 0)
    }

    /// Adds values that were counted in the same buckets.
    pub(super) fn add(&self, buckets: &[u32], sum_micros: u64) {
        for (bucket, &count) in self
            .buckets
            .iter()
            .zip(buckets)
            .filter(|(_, count)| **count > 0)
        {
            bucket.fetch_add(u64::from(count), Relaxed);
        }
        self.sum_micros.fetch_add(sum_micros, Relaxed);
    }

    /// Writes the samples, in seconds.
    pub(super) fn write(&self, page: &mut Page, name: &str, labels: &[(&str, &str)]) {
        let bucket_name = format!("{name}_bucket");
        let mut total = 0;
        for (at, bucket) in self.buckets.iter().enumerate() {
            total += bucket.load(Relaxed);
            let end = self
                .ends
                .get(at)
                .map_or_else(|| "+Inf".to_owned(), |&end| seconds(end).to_string());
            let with_end: Vec<_> = labels.iter().copied().chain([("le", &*end)]).collect();
            page.sample(&bucket_name, &with_end, total);
        }
        page.sample(
            &format!("{name}_sum"),
            labels,
            seconds(self.sum_micros.load(Relaxed)),
        );
        page.sample(&format!("{name}_count"), labels, total);
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a double holds 285 years of microseconds exactly"
)]
pub(super) fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

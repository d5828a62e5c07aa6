//! Times between tokens, as a histogram.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::fleet::Summary;

/// The longest gap told apart, in microseconds: a day.
const LONGEST_MICROS: u64 = 86_400_000_000;

/// Times between two tokens of one request, within a thousandth.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaps(Histogram<u64>);

impl Gaps {
    pub(super) fn new() -> Self {
        Self(
            Histogram::new_with_bounds(1, LONGEST_MICROS, 3)
                .expect("the bounds and the precision are valid"),
        )
    }

    /// Notes a gap that so many requests had.
    pub(super) fn record(&mut self, seconds: f64, count: u32) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "gaps are not negative, and the conversion saturates"
        )]
        let micros = (seconds * 1e6).round() as u64;
        self.0
            .record_n(micros.clamp(1, LONGEST_MICROS), u64::from(count))
            .expect("inside the bounds");
    }

    /// How many gaps there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Mean, percentiles and maximum.
    #[must_use]
    pub fn summary(&self) -> Summary {
        if self.0.is_empty() {
            return Summary::default();
        }
        let at = |percent: f64| Duration::from_micros(self.0.value_at_percentile(percent));
        Summary {
            count: usize::try_from(self.0.len()).unwrap_or(usize::MAX),
            mean: Duration::from_secs_f64(self.0.mean() / 1e6),
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            max: Duration::from_micros(self.0.max()),
        }
    }
}

//! What a replay came to, in numbers.

use std::time::Duration;

use gateway_core::decider::RoleName;
use serde::{Deserialize, Serialize};

use crate::{fleet::Summary, replay::ReplayReport};

/// The spread of a duration, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// Half are no longer.
    pub p50: f64,
    /// Nine in ten are no longer.
    pub p90: f64,
    /// Ninety-nine in a hundred are no longer.
    pub p99: f64,
}

/// The measures of one replay, or their means over several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Time to the first token.
    pub ttft_ms: Spread,
    /// Time between two tokens of one request.
    pub itl_ms: Spread,
    /// Mean time of a token after the first, by request.
    pub tpot_ms: Spread,
    /// Time to the last token.
    pub e2e_ms: Spread,
    /// Share of prompt tokens that were in a cache, 0 to 1.
    pub hit_rate: f64,
    /// Share of all requests that met both objectives, 0 to 1.
    pub goodput: f64,
    /// Busy time of the busiest engine over the mean, by role; the worst role counts. 1 is even.
    pub imbalance: f64,
    /// Share of requests that nobody served, 0 to 1.
    pub rejected: f64,
    /// Sequences that lost their place for want of memory.
    pub preemptions: f64,
    /// From the first arrival to the last token, in seconds.
    pub makespan_seconds: f64,
}

impl Spread {
    fn of(summary: &Summary) -> Self {
        let ms = |duration: Duration| duration.as_secs_f64() * 1_000.0;
        Self {
            mean: ms(summary.mean),
            p50: ms(summary.p50),
            p90: ms(summary.p90),
            p99: ms(summary.p99),
        }
    }

    fn values(&mut self) -> [&mut f64; 4] {
        [&mut self.mean, &mut self.p50, &mut self.p90, &mut self.p99]
    }
}

impl Measures {
    /// Of one replay.
    #[must_use]
    pub fn of(report: &ReplayReport) -> Self {
        let roles = [RoleName::Both, RoleName::Prefill, RoleName::Decode];
        let imbalances = roles.iter().filter_map(|role| report.imbalance(*role));
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let (rejected, preemptions) = (
            report.rejected() as f64 / report.records.len().max(1) as f64,
            report.preemptions() as f64,
        );
        Self {
            ttft_ms: Spread::of(&report.ttft()),
            itl_ms: Spread::of(&report.itl()),
            tpot_ms: Spread::of(&report.tpot()),
            e2e_ms: Spread::of(&report.e2e()),
            hit_rate: report.hit_rate(),
            goodput: report.goodput(),
            imbalance: imbalances.fold(1.0, f64::max),
            rejected,
            preemptions,
            makespan_seconds: report.makespan_seconds,
        }
    }

    /// The mean of each number.
    #[must_use]
    pub fn mean(all: &[Self]) -> Self {
        let mut sum = Self::default();
        let count = u32::try_from(all.len().max(1)).unwrap_or(u32::MAX);
        for one in all {
            let mut one = *one;
            for (total, value) in sum.values().into_iter().zip(one.values()) {
                *total += *value / f64::from(count);
            }
        }
        sum
    }

    /// Every number.
    fn values(&mut self) -> Vec<&mut f64> {
        let spreads = [
            &mut self.ttft_ms,
            &mut self.itl_ms,
            &mut self.tpot_ms,
            &mut self.e2e_ms,
        ];
        let mut values: Vec<_> = spreads.into_iter().flat_map(Spread::values).collect();
        values.extend([
            &mut self.hit_rate,
            &mut self.goodput,
            &mut self.imbalance,
            &mut self.rejected,
            &mut self.preemptions,
            &mut self.makespan_seconds,
        ]);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_taken_of_every_number() {
        let mut one = Measures::default();
        let mut two = Measures::default();
        for (place, value) in (1_u32..).zip(one.values()) {
            *value = f64::from(place);
        }
        for (place, value) in (1_u32..).zip(two.values()) {
            *value = f64::from(place) * 3.0;
        }
        let mut mean = Measures::mean(&[one, two]);
        for (place, value) in (1_u32..).zip(mean.values()) {
            assert!((*value - f64::from(place) * 2.0).abs() < 1e-9);
        }
        assert_eq!(mean.makespan_seconds, 44.0, "all 22 numbers were seen");
        assert_eq!(Measures::mean(&[]), Measures::default());
    }
}

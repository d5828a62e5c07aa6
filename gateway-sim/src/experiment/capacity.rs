//! The highest rate at which enough requests are good.

use serde::{Deserialize, Serialize};

/// The largest change of the rate that is tried, up or down.
const FACTOR_AT_MOST: f64 = 256.0;

/// How capacity is looked for: by bisection of the rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CapacityPlan {
    /// The share of requests that must meet their objectives, between 0 and 1.
    pub goodput: f64,
    /// How near the answer must be, as a share of the rate.
    pub tolerance: f64,
    /// The most replays for each policy and seed.
    pub replays: u32,
}

impl Default for CapacityPlan {
    /// 90 % good requests, to 2 % of the rate, in at most 16 replays.
    fn default() -> Self {
        Self {
            goodput: 0.9,
            tolerance: 0.02,
            replays: 16,
        }
    }
}

/// A factor and its goodput.
type Trial = (f64, f64);

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Found {
    /// The factor; 0 where no rate was low enough.
    pub(super) factor: f64,
    /// All trials: factor and goodput.
    pub(super) trials: Vec<[f64; 2]>,
}

impl CapacityPlan {
    /// Searches. `good_at` gives the goodput at a multiple of the rate; `at_1` is that of the rate itself.
    pub(super) fn search<E>(
        &self,
        at_1: f64,
        mut good_at: impl FnMut(f64) -> Result<f64, E>,
    ) -> Result<Found, E> {
        let mut trials = vec![[1.0, at_1]];
        // The best factor that is good, the least one that is not, with their goodput.
        let (mut good, mut bad): (Option<Trial>, Option<Trial>) = (None, None);
        let mut factor = 1.0;
        let mut goodput = at_1;
        loop {
            if goodput >= self.goodput {
                good = Some((factor, goodput));
            } else {
                bad = Some((factor, goodput));
            }
            factor = match (good, bad) {
                (Some((good, _)), None) => good * 2.0,
                (None, Some((bad, _))) => bad / 2.0,
                (Some((good, _)), Some((bad, _))) => (good * bad).sqrt(),
                (None, None) => return Ok(Found::default()),
            };
            let near = good
                .zip(bad)
                .is_some_and(|((good, _), (bad, _))| bad / good <= 1.0 + self.tolerance.max(1e-3));
            let far = !(1.0 / FACTOR_AT_MOST..=FACTOR_AT_MOST).contains(&factor);
            if near || far || trials.len() > self.replays as usize {
                break;
            }
            goodput = good_at(factor)?;
            trials.push([factor, goodput]);
        }
        trials.sort_by(|a, b| a[0].total_cmp(&b[0]));
        Ok(Found {
            factor: self.between(good, bad),
            trials,
        })
    }

    /// Where a line from the last good trial to the first bad one crosses the target.
    fn between(&self, good: Option<Trial>, bad: Option<Trial>) -> f64 {
        match (good, bad) {
            (Some((low, high_goodput)), Some((high, low_goodput))) => {
                let drop = high_goodput - low_goodput;
                low + (high - low) * ((high_goodput - self.goodput) / drop).clamp(0.0, 1.0)
            }
            (Some((factor, _)), None) => factor,
            (None, _) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(plan: CapacityPlan, curve: impl Fn(f64) -> f64) -> Found {
        let at_1 = curve(1.0);
        let good_at = |factor| Ok::<_, ()>(curve(factor));
        plan.search(at_1, good_at).unwrap()
    }

    #[test]
    fn finds_where_a_falling_curve_crosses_the_target() {
        for crossing in [0.05, 0.3, 0.99, 1.0, 1.7, 40.0] {
            let curve = |factor: f64| if factor <= crossing { 1.0 } else { 0.2 };
            let found = found(CapacityPlan::default(), curve);
            let off = (found.factor / crossing - 1.0).abs();
            assert!(off <= 0.02, "{crossing}: {}", found.factor);
            assert!(found.trials.len() <= 17);
            assert!(found.trials.is_sorted_by(|a, b| a[0] < b[0]));
        }
        let smooth = |factor: f64| 1.0 / (1.0 + (factor / 3.0).powi(4));
        let found = found(CapacityPlan::default(), smooth);
        assert!((smooth(found.factor) - 0.9).abs() < 0.001);
    }

    #[test]
    fn a_curve_that_never_crosses_ends() {
        assert_eq!(found(CapacityPlan::default(), |_| 0.1).factor, 0.0);
        assert_eq!(found(CapacityPlan::default(), |_| 1.0).factor, 256.0);
        let hasty = CapacityPlan {
            replays: 1,
            ..CapacityPlan::default()
        };
        assert_eq!(found(hasty, |_| 1.0).factor, 2.0);
    }
}

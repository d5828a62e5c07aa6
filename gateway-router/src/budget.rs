//! The retry budget: when much fails, retries must not make it worse.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use crate::RetrySettings;

/// Thousandths of a retry: the budget counts in whole numbers.
const ONE: i64 = 1_000;

/// Requests earn retries, retries spend them. Shared by all requests; each step is one atomic operation.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    saved: AtomicI64,
}

impl RetryBudget {
    pub(crate) fn new(settings: &RetrySettings) -> Self {
        Self::full(settings.budget_burst)
    }

    /// With so many saved up.
    pub(crate) fn full(burst: u32) -> Self {
        Self {
            saved: AtomicI64::new(i64::from(burst) * ONE),
        }
    }

    /// A request has come.
    pub(crate) fn earn(&self, settings: &RetrySettings) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a ratio is a small number; the cast saturates"
        )]
        let gain = (settings.budget_ratio.max(0.0) * ONE as f32) as i64;
        let most = most(settings);
        let earned = |saved: i64| (saved < most).then(|| saved.saturating_add(gain).min(most));
        // Where nothing can be added nothing is written: most requests find the savings full.
        let _full = self.saved.fetch_update(Relaxed, Relaxed, earned);
    }

    /// A retry that was paid for was not made.
    pub(crate) fn refund(&self) {
        self.saved.fetch_add(ONE, Relaxed);
    }

    /// Whether a retry may be made; it is then paid for.
    pub(crate) fn spend(&self) -> bool {
        let paid = |saved: i64| (saved >= ONE).then_some(saved - ONE);
        self.saved.fetch_update(Relaxed, Relaxed, paid).is_ok()
    }
}

fn most(settings: &RetrySettings) -> i64 {
    i64::from(settings.budget_burst) * ONE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_earned_and_never_overdrawn() {
        let settings = RetrySettings {
            budget_ratio: 0.5,
            budget_burst: 2,
            ..RetrySettings::default()
        };
        let budget = RetryBudget::new(&settings);
        assert!(budget.spend() && budget.spend());
        assert!(!budget.spend());
        budget.earn(&settings);
        assert!(!budget.spend(), "half a retry is none");
        budget.earn(&settings);
        assert!(budget.spend());
        for _ in 0..100 {
            budget.earn(&settings);
        }
        assert!(budget.spend() && budget.spend());
        assert!(!budget.spend(), "no more than the burst is saved up");
        budget.refund();
        assert!(budget.spend() && !budget.spend());
    }

    #[test]
    fn absurd_ratios_neither_overflow_nor_overdraw() {
        for (ratio, retries) in [(f32::INFINITY, 2), (f32::MAX, 2), (f32::NAN, 0), (-1.0, 0)] {
            let settings = RetrySettings {
                budget_ratio: ratio,
                budget_burst: 2,
                ..RetrySettings::default()
            };
            let budget = RetryBudget::new(&settings);
            assert!(budget.spend() && budget.spend());
            budget.earn(&settings);
            budget.earn(&settings);
            let made = (0..10).filter(|_| budget.spend()).count();
            assert_eq!(made, retries, "{ratio}");
        }
    }
}

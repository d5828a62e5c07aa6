//! When a second engine is asked.

use std::{collections::BTreeMap, time::Duration};

use crate::RetrySettings;

/// Second engines that may be asked at once without having been earned.
pub(crate) const BURST: u32 = 10;

/// How much silence makes a second engine worth asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeAfter {
    /// This much.
    Span(Duration),
    /// More than nineteen of twenty requests have met on that endpoint, measured by what was predicted for this one. Not
    /// before enough have been seen there.
    Predicted,
}

/// When a second engine is asked for what a first one is silent on. Whoever has something to show first serves the
/// request, and the other one's work ends.
///
/// Only requests are meant whose engine streams, as no other shows when it begins; of those none that was tried before,
/// that goes on with an answer, or that two engines share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HedgeSettings {
    /// After how much silence.
    pub after: HedgeAfter,
    /// For how many requests of a hundred at most, in the long run. Each is paid for from the retries' budget too.
    pub at_most_percent: f32,
}

impl HedgeSettings {
    /// After `after`, for five requests of a hundred at most.
    #[must_use]
    pub const fn after(after: HedgeAfter) -> Self {
        Self {
            after,
            at_most_percent: 5.0,
        }
    }

    /// What the budget is kept by.
    pub(crate) fn budget(&self) -> RetrySettings {
        RetrySettings {
            attempts: 2,
            budget_ratio: self.at_most_percent / 100.0,
            budget_burst: BURST,
        }
    }
}

/// When second engines are asked, by model; never where unset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hedges {
    /// For models without a word of their own.
    pub general: Option<HedgeSettings>,
    /// By model; `None` for never.
    pub models: BTreeMap<String, Option<HedgeSettings>>,
}

impl Hedges {
    /// The settings of `model`.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<HedgeSettings> {
        *self.models.get(model).unwrap_or(&self.general)
    }
}

//! Scenarios to begin with.
//!
//! They stand in two sets, each across all kinds of traffic and fleet: whoever changes a policy tunes on one set and
//! reports on the other, and never the other way round. Rates are such that simple policies serve part of the requests
//! within their objectives: where all do or none does, policies cannot be told apart.

mod build;
mod reported;
mod tuning;

use super::Scenario;

pub use build::{Preset, Set};

/// All presets, the set for tuning first.
#[must_use]
pub fn all() -> Vec<Preset> {
    let mut all = tuning::presets();
    all.extend(reported::presets());
    all
}

/// The preset of that name.
#[must_use]
pub fn named(name: &str) -> Option<Scenario> {
    let found = all()
        .into_iter()
        .find(|preset| preset.scenario.name == name);
    found.map(|preset| preset.scenario)
}

//! Experiments: which policy serves which traffic best, on which fleet, and how much of it.
//!
//! A [`Scenario`] says what is played: a [`FleetPlan`], a [`Source`] of traffic, objectives and seeds. [`run`] plays it
//! under each [`Policy`] with each seed, on all cores, and gives a [`Comparison`]; with a [`CapacityPlan`] it also looks for
//! the highest rate at which enough requests meet their objectives. [`presets`] has scenarios to begin with.

mod capacity;
mod chips;
mod error;
mod fleet;
mod jobs;
mod measures;
mod plates;
mod policy;
pub mod presets;
mod progress;
mod result;
mod run;
mod scenario;
mod source;
#[cfg(test)]
mod tests;

pub use capacity::CapacityPlan;
pub use chips::{ChipsError, parse_chips};
pub use error::ExperimentError;
pub use fleet::{ChipGroup, FleetPlan, Slow};
pub use measures::{Measures, Spread};
pub use plates::Plate;
pub use policy::Policy;
pub use progress::Progress;
pub use result::{Capacity, Comparison, EngineUse, PolicyResult, SeedResult};
pub use run::run;
pub use scenario::Scenario;
pub use source::{Recorded, Source};

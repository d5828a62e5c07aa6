//! A second engine beside a silent one: when it is asked, and what is told of it.

mod report;
mod settings;

pub use report::{HedgeOutcome, HedgeReport};
pub(crate) use settings::BURST;
pub use settings::{HedgeAfter, HedgeSettings, Hedges};

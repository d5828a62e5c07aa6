//! Filters: who must not be chosen.

mod adapter_room;
mod context_fits;
mod exclude;
mod healthy;
mod labels;
mod prompt_range;
mod role;
mod saturation;
mod serves_adapter;
mod serves_model;
mod steady;

pub use adapter_room::AdapterRoom;
pub use context_fits::ContextFits;
pub use exclude::Exclude;
pub use healthy::Healthy;
pub use labels::{LabelValues, Labels, LabelsParams};
pub use prompt_range::{PromptRange, PromptRangeParams};
pub use role::RoleFits;
pub use saturation::{Saturation, SaturationParams};
pub use serves_adapter::ServesAdapter;
pub use serves_model::ServesModel;
pub use steady::Steady;

use super::NoParams;
use crate::pipeline::Registry;

pub(crate) fn register(registry: &mut Registry) {
    registry
        .filter("adapter-room", |NoParams {}| Ok(AdapterRoom))
        .filter("context-fits", |NoParams {}| Ok(ContextFits))
        .filter("exclude", |NoParams {}| Ok(Exclude))
        .filter("healthy", |NoParams {}| Ok(Healthy))
        .filter("labels", Labels::new)
        .filter("prompt-range", PromptRange::new)
        .filter("role", |NoParams {}| Ok(RoleFits))
        .filter("saturation", Saturation::new)
        .filter("serves-adapter", |NoParams {}| Ok(ServesAdapter))
        .filter("serves-model", |NoParams {}| Ok(ServesModel))
        .filter("steady", |NoParams {}| Ok(Steady));
}

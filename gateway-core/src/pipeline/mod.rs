//! Filters → weighted scorers → picker: how one endpoint is chosen.
//!
//! A [`Pipeline`] is built in code ([`Pipeline::builder`]) or from declarative configuration ([`PipelineSpec`] through a
//! [`Registry`]); [`Pipelines`] holds one per model and stage. [`Pipeline::place`] chooses and books in one step.

mod builder;
mod claim;
mod deadline;
mod decide;
mod explain;
mod pair;
mod panic;
mod placement;
mod presets;
mod registry;
mod room;
mod sample;
mod set;
mod spec;
#[cfg(test)]
mod tests;

pub use builder::{Pipeline, PipelineBuilder};
pub use deadline::Late;
pub use explain::{
    AdapterThere, CachedTokens, ExplainedCandidate, ExplainedForecast, ExplainedPair,
    ExplainedScore, Explanation, FilteredOut,
};
pub use pair::{Group, PairPlacement, Pools, SplitRule, Stages};
pub use placement::{NoEndpoint, Placement};
pub use presets::{Preset, UnknownPreset, preset, presets};
pub use registry::{ParamError, Params, Registry, SpecError, SpecErrorKind};
pub use room::{Full, Room, RoomLimits};
pub use set::{ModelPipelines, Pipelines, PipelinesSpec};
pub use spec::{PipelineSpec, PluginSpec};

//! The plug-ins that come with the crate, one per file, each saying when to use it.

pub mod filters;
pub mod pickers;
pub mod scorers;

use crate::pipeline::Registry;

pub(crate) fn register(registry: &mut Registry) {
    filters::register(registry);
    scorers::register(registry);
    pickers::register(registry);
}

/// For plug-ins without parameters: any key is one too many.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

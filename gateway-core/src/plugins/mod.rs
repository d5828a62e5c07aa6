//! The plug-ins that come with the crate, one per file, each saying when to use it.
//!
//! All of them are registered in [`Registry::builtin`] under the name that opens their own page, and can be built in code
//! from their parameters; `docs/plugins.md` lists them with an example each.

pub mod filters;
mod params;
pub mod pickers;
pub mod scorers;
#[cfg(test)]
pub(crate) mod testing;
mod transform;

pub use transform::Transform;

use params::NoParams;

use crate::pipeline::Registry;

pub(crate) fn register(registry: &mut Registry) {
    filters::register(registry);
    scorers::register(registry);
    pickers::register(registry);
}

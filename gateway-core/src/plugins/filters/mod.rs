//! Filters: who must not be chosen.

mod healthy;

pub use healthy::Healthy;

use super::NoParams;
use crate::pipeline::Registry;

pub(crate) fn register(registry: &mut Registry) {
    registry.filter("healthy", |NoParams {}| Ok(Healthy));
}

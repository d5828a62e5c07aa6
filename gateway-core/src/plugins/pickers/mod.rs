//! Pickers: how the choice follows from the scores.

mod best;

pub use best::Best;

use super::NoParams;
use crate::pipeline::Registry;

pub(crate) fn register(registry: &mut Registry) {
    registry.picker("best", |NoParams {}| Ok(Best));
}

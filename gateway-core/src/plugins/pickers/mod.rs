//! Pickers: how the choice follows from the scores.

mod best;
mod draw;
mod power_of_two;
mod random;
mod round_robin;
mod softmax;
mod weighted_random;

pub use best::Best;
pub use power_of_two::PowerOfTwo;
pub use random::Random;
pub use round_robin::RoundRobin;
pub use softmax::{Softmax, SoftmaxParams};
pub use weighted_random::WeightedRandom;

use super::NoParams;
use crate::pipeline::Registry;

pub(crate) fn register(registry: &mut Registry) {
    registry
        .picker("best", |NoParams {}| Ok(Best))
        .picker("power-of-two", |NoParams {}| Ok(PowerOfTwo))
        .picker("random", |NoParams {}| Ok(Random))
        .picker("round-robin", |NoParams {}| Ok(RoundRobin::default()))
        .picker("softmax", Softmax::new)
        .picker("weighted-random", |NoParams {}| Ok(WeightedRandom));
}

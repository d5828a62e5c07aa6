//! Pauses between looks, with jitter, so that gateways do not ask in step, and with back-off after failures.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

use gateway_core::Rng;

use crate::Clock;

/// Doublings after which a pause has long reached any bound.
const DOUBLINGS: u32 = 16;

pub(super) struct Pause {
    least: Duration,
    most: Duration,
    failures: u32,
    rng: Rng,
}

impl Pause {
    pub(super) fn new(name: &str, least: Duration, most: Duration) -> Self {
        let mut seed = DefaultHasher::new();
        name.hash(&mut seed);
        Clock::unix_seconds().to_bits().hash(&mut seed);
        Self {
            least,
            most: most.max(least),
            failures: 0,
            rng: Rng::from_seed(seed.finish()),
        }
    }

    /// After a good look, whose answer holds for `wanted`.
    pub(super) fn after(&mut self, wanted: Duration) -> Duration {
        self.failures = 0;
        self.jittered(wanted.clamp(self.least, self.most))
    }

    /// After a failure.
    pub(super) fn after_failure(&mut self) -> Duration {
        let pause = self.least.saturating_mul(1 << self.failures);
        self.failures = (self.failures + 1).min(DOUBLINGS);
        self.jittered(pause.min(self.most))
    }

    fn jittered(&mut self, pause: Duration) -> Duration {
        pause.mul_f64(0.9 + 0.2 * self.rng.unit())
    }
}

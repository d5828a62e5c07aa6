//! When requests come.

use gateway_core::Rng;
use serde::{Deserialize, Serialize};

use super::draw;

/// How requests, or the sessions they belong to, are spread over time. The mean rate is set apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// Each comes independently of the others.
    #[default]
    Poisson,
    /// Gaps drawn from a gamma distribution.
    Gamma {
        /// Their coefficient of variation: 1 is Poisson, real traffic has 1 to 5.
        cv: f64,
    },
    /// Poisson in two alternating phases.
    OnOff {
        /// Length of a busy phase, in seconds.
        on_seconds: f64,
        /// Length of a quiet phase, in seconds.
        off_seconds: f64,
        /// How many times the quiet rate the busy rate is.
        ratio: f64,
    },
}

/// The gaps that a stream of arrivals may have.
const CV_RANGE: [f64; 2] = [0.05, 20.0];
/// The shortest phase, in seconds.
const PHASE_SECONDS_AT_LEAST: f64 = 0.01;

impl Arrivals {
    /// The times of `count` arrivals in seconds, ascending from about 0, at `rate` a second in the long run.
    #[must_use]
    pub fn times(&self, count: usize, rate: f64, rng: &mut Rng) -> Vec<f64> {
        // The times at a rate of 1 in a clock that runs faster while traffic is dense.
        let mut at = 0.0;
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            at += self.gap(rng);
            times.push(self.wall(at / rate));
        }
        times
    }

    /// A gap with mean 1.
    fn gap(&self, rng: &mut Rng) -> f64 {
        match *self {
            Self::Gamma { cv } => {
                let cv = cv.clamp(CV_RANGE[0], CV_RANGE[1]);
                draw::gamma(rng, 1.0 / (cv * cv))
            }
            Self::Poisson | Self::OnOff { .. } => draw::exponential(rng),
        }
    }

    /// When a stream of even density reaches `even` seconds once phases are put in.
    fn wall(&self, even: f64) -> f64 {
        let Self::OnOff {
            on_seconds,
            off_seconds,
            ratio,
        } = *self
        else {
            return even;
        };
        let on = on_seconds.max(PHASE_SECONDS_AT_LEAST);
        let off = off_seconds.max(PHASE_SECONDS_AT_LEAST);
        let ratio = ratio.max(1.0);
        // Density while quiet, so that a whole round has density 1.
        let quiet = (on + off) / (on * ratio + off);
        let busy = quiet * ratio;
        let round = (even / (on + off)).floor();
        let left = even - round * (on + off);
        let inside = if left < on * busy {
            left / busy
        } else {
            on + (left - on * busy) / quiet
        };
        round * (on + off) + inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Arrivals; 3] = [
        Arrivals::Poisson,
        Arrivals::Gamma { cv: 3.0 },
        Arrivals::OnOff {
            on_seconds: 10.0,
            off_seconds: 30.0,
            ratio: 6.0,
        },
    ];

    #[test]
    fn all_kinds_keep_the_rate_and_the_order() {
        for kind in KINDS {
            let times = kind.times(40_000, 20.0, &mut Rng::from_seed(3));
            assert!(times.is_sorted(), "{kind:?}");
            let rate = 40_000.0 / times[39_999];
            assert!((rate / 20.0 - 1.0).abs() < 0.06, "{kind:?}: {rate}");
        }
    }

    #[test]
    fn busy_phases_are_as_much_busier_as_they_say() {
        let times = KINDS[2].times(40_000, 20.0, &mut Rng::from_seed(4));
        let busy = times.iter().filter(|at| *at % 40.0 < 10.0).count();
        // 10 s at 6 against 30 s at 1: two thirds of all.
        let share = busy as f64 / 40_000.0;
        assert!((share - 2.0 / 3.0).abs() < 0.03, "{share}");
    }

    #[test]
    fn absurd_settings_give_finite_times() {
        for kind in [
            Arrivals::Gamma { cv: 0.0 },
            Arrivals::Gamma { cv: 1e9 },
            Arrivals::OnOff {
                on_seconds: 0.0,
                off_seconds: -1.0,
                ratio: 0.0,
            },
        ] {
            let times = kind.times(100, 1.0, &mut Rng::from_seed(0));
            assert!(times.iter().all(|at| at.is_finite()), "{kind:?}");
        }
    }
}

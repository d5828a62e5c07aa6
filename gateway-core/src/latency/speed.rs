//! How fast one endpoint is beside what its class should take.

/// A factor on predicted times: 1 is as predicted, 2 is half as fast.
///
/// Follows the ratio of observed to predicted times slowly (a twentieth of the difference with each sample), and jumps
/// where the middle of the last few samples lies far off: then the node has changed, not the noise.
#[derive(Clone, Debug)]
pub(super) struct Speed {
    log: f64,
    recent: [f64; RECENT],
    seen: usize,
    jumps: u64,
}

const RECENT: usize = 9;
const GAIN: f64 = 0.05;
/// How far, as a logarithm, the middle must be off: 30 %.
const JUMP: f64 = 0.262;
/// From which difference on, as a logarithm, it counts in full: 16 %.
const SURE: f64 = 0.15;
/// The longest way from 1, as a logarithm: a factor of 20.
const FARTHEST: f64 = 3.0;

impl Default for Speed {
    fn default() -> Self {
        Self {
            log: 0.0,
            recent: [0.0; RECENT],
            seen: 0,
            jumps: 0,
        }
    }
}

impl Speed {
    /// The factor. Differences that may be noise count little: else they would outweigh a cached prefix.
    pub(super) fn factor(&self) -> f64 {
        let sure = (self.log.abs() / SURE).min(1.0);
        (self.log * sure * sure).exp()
    }

    /// The factor as learned, noise and all.
    pub(super) fn learned(&self) -> f64 {
        self.log.exp()
    }

    /// Takes a factor over, where it is a possible one.
    pub(super) fn restore(&mut self, factor: f64) {
        let log = factor.ln();
        if log.abs() <= FARTHEST {
            self.log = log;
        }
    }

    /// How often it jumped: drifts detected.
    pub(super) fn jumps(&self) -> u64 {
        self.jumps
    }

    /// Learns that something took `ratio` times what a speed of 1 would. `trust`, 0 to 1, is how much the sample says.
    pub(super) fn learn(&mut self, ratio: f64, trust: f64) {
        let log = ratio.ln().clamp(-FARTHEST, FARTHEST);
        if !log.is_finite() {
            return;
        }
        self.log += GAIN * trust.clamp(0.0, 1.0) * (log - self.log).clamp(-1.0, 1.0);
        if trust < 0.3 {
            return;
        }
        self.recent[self.seen % RECENT] = log;
        self.seen += 1;
        if self.seen >= RECENT {
            self.jump();
        }
    }

    fn jump(&mut self) {
        let mut sorted = self.recent;
        sorted.sort_unstable_by(f64::total_cmp);
        let (low, middle, high) = (sorted[2], sorted[RECENT / 2], sorted[RECENT - 3]);
        // All but two on one side: a change, not a wide spread.
        let is_one_sided = low > self.log || high < self.log;
        if is_one_sided && (middle - self.log).abs() > JUMP {
            self.log = middle;
            self.seen = 0;
            self.jumps += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn follows_a_degraded_node_within_tens_of_samples_and_back() {
        let mut rng = Rng::from_seed(1);
        let mut speed = Speed::default();
        let mut feed = |speed: &mut Speed, factor: f64, count| {
            for _ in 0..count {
                speed.learn(factor * (0.8 + 0.4 * rng.unit()), 1.0);
            }
        };
        feed(&mut speed, 1.0, 100);
        assert!((speed.factor() - 1.0).abs() < 0.1);
        feed(&mut speed, 2.0, 20);
        assert!((1.7..2.3).contains(&speed.factor()), "{}", speed.factor());
        feed(&mut speed, 1.0, 20);
        assert!((0.85..1.2).contains(&speed.factor()), "{}", speed.factor());
        assert!(speed.jumps() >= 2);
    }

    #[test]
    fn nonsense_and_single_outliers_leave_it_where_it_is() {
        let mut speed = Speed::default();
        for bad in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
            speed.learn(bad, 1.0);
        }
        speed.learn(1e9, 1.0);
        assert!((0.9..1.2).contains(&speed.factor()), "{}", speed.factor());
        speed.restore(f64::NAN);
        assert!(speed.factor().is_finite());
    }
}

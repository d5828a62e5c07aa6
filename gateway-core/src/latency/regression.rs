//! Linear regression that goes on for ever: few weights, one sample at a time.

/// Recursive least squares on relative errors, around a prior of ones.
///
/// Predicts `y = Σ wᵢ·xᵢ`, where `xᵢ` are the parts of a first guess, so that weights of 1 mean "as guessed". Each sample
/// counts by its relative error; an error beyond [`OUTLIER`] counts as that much and no more. Old samples fade.
#[derive(Clone, Debug)]
pub(super) struct Regression<const D: usize> {
    weights: [f64; D],
    covariance: [[f64; D]; D],
    prior_variance: f64,
}

/// The relative error of a usual sample.
const NOISE: f64 = 0.2;
/// The relative error from which a sample says only in which direction to go.
const OUTLIER: f64 = 0.6;
/// How much of what is known fades with each sample.
const FADE: f64 = 0.002;
/// The range of a weight.
const RANGE: (f64, f64) = (0.05, 20.0);

impl<const D: usize> Regression<D> {
    /// `deviation` is how far off, relatively, the first guess may be.
    pub(super) fn new(deviation: f64) -> Self {
        let prior_variance = deviation * deviation;
        let mut covariance = [[0.0; D]; D];
        for (at, row) in covariance.iter_mut().enumerate() {
            row[at] = prior_variance;
        }
        Self {
            weights: [1.0; D],
            covariance,
            prior_variance,
        }
    }

    pub(super) fn weights(&self) -> [f64; D] {
        self.weights
    }

    /// Takes weights over, where they are possible ones.
    pub(super) fn restore(&mut self, weights: [f64; D]) {
        if weights
            .iter()
            .all(|weight| (RANGE.0..=RANGE.1).contains(weight))
        {
            self.weights = weights;
        }
    }

    pub(super) fn predict(&self, parts: &[f64; D]) -> f64 {
        self.weights
            .iter()
            .zip(parts)
            .map(|(weight, part)| weight * part)
            .sum()
    }

    /// Learns from a sample. Those that make no sense are ignored.
    pub(super) fn learn(&mut self, parts: &[f64; D], observed: f64) {
        let predicted = self.predict(parts);
        let sane =
            predicted > 1e-6 && predicted.is_finite() && observed > 0.0 && observed.is_finite();
        if !sane {
            return;
        }
        let scaled = parts.map(|part| part / predicted);
        let error = (observed / predicted - 1.0).clamp(-OUTLIER, OUTLIER);
        let spread: [f64; D] = std::array::from_fn(|row| dot(&self.covariance[row], &scaled));
        let uncertainty = dot(&spread, &scaled) + NOISE * NOISE;
        for (row, &of_row) in spread.iter().enumerate() {
            let moved = self.weights[row] + of_row / uncertainty * error;
            self.weights[row] = moved.clamp(RANGE.0, RANGE.1);
            for (cell, &of_column) in self.covariance[row].iter_mut().zip(&spread) {
                *cell -= of_row * of_column / uncertainty;
            }
        }
        self.fade();
    }

    /// Lets certainty fade, never beyond that of the prior.
    fn fade(&mut self) {
        let is_young = (0..D).all(|at| self.covariance[at][at] < self.prior_variance);
        if is_young {
            for row in &mut self.covariance {
                for cell in row {
                    *cell *= 1.0 + FADE;
                }
            }
        }
    }
}

fn dot<const D: usize>(left: &[f64; D], right: &[f64; D]) -> f64 {
    left.iter()
        .zip(right)
        .map(|(left, right)| left * right)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn finds_the_weights_behind_noisy_samples() {
        let truth = [0.5, 2.0, 1.3];
        let mut rng = Rng::from_seed(3);
        let mut learned = Regression::<3>::new(0.7);
        for _ in 0..600 {
            let parts = [rng.unit() * 10.0, rng.unit() * 10.0, rng.unit() * 10.0];
            let noise = 0.9 + 0.2 * rng.unit();
            learned.learn(&parts, dot(&truth, &parts) * noise);
        }
        for (found, truth) in learned.weights().iter().zip(truth) {
            assert!((found / truth - 1.0).abs() < 0.1, "{:?}", learned.weights());
        }
    }

    #[test]
    fn nonsense_changes_nothing_and_outliers_little() {
        let mut learned = Regression::<2>::new(0.5);
        for bad in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            learned.learn(&[1.0, 1.0], bad);
            learned.learn(&[bad, 0.0], 1.0);
        }
        assert!(learned.weights().iter().all(|weight| weight.is_finite()));
        for _ in 0..50 {
            learned.learn(&[1.0, 1.0], 2.0);
        }
        learned.learn(&[1.0, 1.0], 1e9);
        assert!(learned.predict(&[1.0, 1.0]) < 2.5);
    }

    #[test]
    fn stays_in_range_whatever_it_is_told() {
        let mut rng = Rng::from_seed(9);
        let mut learned = Regression::<4>::new(2.0);
        for _ in 0..20_000 {
            let parts = std::array::from_fn(|_| (rng.unit() * 40.0 - 20.0).exp());
            learned.learn(&parts, (rng.unit() * 40.0 - 20.0).exp());
            assert!(
                learned
                    .weights()
                    .iter()
                    .all(|weight| (RANGE.0..=RANGE.1).contains(weight))
            );
            assert!(
                learned
                    .covariance
                    .iter()
                    .flatten()
                    .all(|cell| cell.is_finite())
            );
        }
    }
}

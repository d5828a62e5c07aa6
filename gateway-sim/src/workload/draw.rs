//! Random numbers of other shapes than flat.

use gateway_core::Rng;

/// Exponential with mean 1.
pub(super) fn exponential(rng: &mut Rng) -> f64 {
    // `1 - unit` lies in (0, 1], so the logarithm is finite.
    -(1.0 - rng.unit()).ln()
}

/// Normal with mean 0 and deviation 1 (Box and Muller).
pub(super) fn normal(rng: &mut Rng) -> f64 {
    let radius = (2.0 * exponential(rng)).sqrt();
    radius * (std::f64::consts::TAU * rng.unit()).cos()
}

/// Log-normal of this median; `sigma` is the deviation of the logarithm.
pub(super) fn log_normal(rng: &mut Rng, median: f64, sigma: f64) -> f64 {
    median * (sigma * normal(rng)).exp()
}

/// Gamma with mean 1 and this shape (Marsaglia and Tsang, 2000); bursty below a shape of 1.
pub(super) fn gamma(rng: &mut Rng, shape: f64) -> f64 {
    if shape < 1.0 {
        // A gamma of shape k is one of shape k + 1, scaled by a power of a flat number.
        let scale = (1.0 - rng.unit()).powf(1.0 / shape);
        return gamma(rng, shape + 1.0) * (shape + 1.0) * scale / shape;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && (1.0 - rng.unit()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v / shape;
        }
    }
}

/// Geometric, at least 1, of this mean.
pub(super) fn geometric(rng: &mut Rng, mean: f64, at_most: u32) -> u32 {
    let stop = 1.0 / mean.max(1.0);
    let mut count = 1;
    while count < at_most && rng.unit() >= stop {
        count += 1;
    }
    count
}

/// A log-normal count of tokens, at least 1 and at most `at_most`.
pub(super) fn tokens(rng: &mut Rng, median: u32, sigma: f64, at_most: u32) -> u32 {
    let drawn = log_normal(rng, f64::from(median), sigma).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a double saturates, and the value is not negative"
    )]
    let drawn = drawn as u32;
    drawn.clamp(1, at_most.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(mut draw: impl FnMut(&mut Rng) -> f64) -> f64 {
        let mut rng = Rng::from_seed(5);
        let count = 40_000;
        (0..count).map(|_| draw(&mut rng)).sum::<f64>() / f64::from(count)
    }

    #[test]
    fn means_are_as_named() {
        assert!((mean(exponential) - 1.0).abs() < 0.02);
        assert!(mean(normal).abs() < 0.02);
        for shape in [0.2, 0.5, 1.0, 4.0] {
            let mean = mean(|rng| gamma(rng, shape));
            assert!((mean - 1.0).abs() < 0.05, "shape {shape}: {mean}");
        }
        let turns = mean(|rng| f64::from(geometric(rng, 4.0, 1_000)));
        assert!((turns - 4.0).abs() < 0.1, "{turns}");
    }

    #[test]
    fn a_count_of_tokens_stays_inside_its_bounds() {
        let mut rng = Rng::from_seed(1);
        for _ in 0..2_000 {
            assert!((1..=100).contains(&tokens(&mut rng, 50, 3.0, 100)));
        }
        assert_eq!(tokens(&mut rng, 50, 1.0, 0), 1);
    }
}

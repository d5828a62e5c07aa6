//! What the random pickers share.

use crate::Rng;

/// A score that can be compared: no number is 0.
pub(super) fn sane(score: f32) -> f32 {
    score.max(0.0)
}

/// An index drawn in proportion to its weight, uniformly where no weight is positive; `None` of nothing.
///
/// Walks the weights twice instead of keeping them. They must be finite and not negative.
pub(super) fn draw(
    weights: impl ExactSizeIterator<Item = f64> + Clone,
    rng: &mut Rng,
) -> Option<usize> {
    let count = weights.len();
    if count == 0 {
        return None;
    }
    let total: f64 = weights.clone().sum();
    if total <= 0.0 {
        return Some(rng.below(count));
    }
    let mut left = rng.unit() * total;
    let mut last = None;
    for (at, weight) in weights.enumerate() {
        if weight <= 0.0 {
            continue;
        }
        last = Some(at);
        if left < weight {
            break;
        }
        left -= weight;
    }
    // Rounding may leave a crumb after the last positive weight: it is that one's.
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_weights_and_never_takes_a_zero() {
        let weights = [0.0, 3.0, 0.0, 1.0, 0.0];
        let mut rng = Rng::from_seed(11);
        let mut counts = [0_u32; 5];
        for _ in 0..40_000 {
            counts[draw(weights.iter().copied(), &mut rng).expect("not empty")] += 1;
        }
        assert_eq!(counts[0] + counts[2] + counts[4], 0);
        assert!((29_500..30_500).contains(&counts[1]), "{counts:?}");
    }

    #[test]
    fn nothing_and_nothing_positive() {
        let mut rng = Rng::from_seed(1);
        assert_eq!(draw([].into_iter(), &mut rng), None);
        let mut seen = [false; 3];
        for _ in 0..100 {
            seen[draw([0.0; 3].into_iter(), &mut rng).expect("not empty")] = true;
        }
        assert_eq!(seen, [true; 3]);
    }

    #[test]
    fn scores_that_are_no_numbers_are_nothing() {
        assert_eq!([f32::NAN, -1.0, 0.5].map(sane), [0.0, 0.0, 0.5]);
    }
}

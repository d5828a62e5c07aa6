//! How predictions met what happened.

/// Upper ends of the buckets for observed over predicted time to first token. The last bucket is open.
pub const RATIO_BUCKETS: [f64; 11] = [0.25, 0.5, 0.67, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0];

/// Predicted and observed times to first token of one endpoint since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// Requests with both.
    pub count: u64,
    /// Predicted times added up, in milliseconds.
    pub predicted_ms: f64,
    /// Observed times added up, in milliseconds.
    pub observed_ms: f64,
    /// Differences without their sign added up, in milliseconds.
    pub error_ms: f64,
    /// Observed over predicted, added up.
    pub ratios: f64,
    /// Requests per bucket of [`RATIO_BUCKETS`], the open one last.
    pub buckets: [u64; RATIO_BUCKETS.len() + 1],
}

impl Accuracy {
    /// Takes in one request.
    pub fn add(&mut self, predicted_ms: f64, observed_ms: f64) {
        let is_sane = predicted_ms > 0.0 && predicted_ms.is_finite() && observed_ms.is_finite();
        if !is_sane {
            return;
        }
        let ratio = observed_ms / predicted_ms;
        self.count += 1;
        self.predicted_ms += predicted_ms;
        self.observed_ms += observed_ms;
        self.error_ms += (observed_ms - predicted_ms).abs();
        self.ratios += ratio;
        self.buckets[RATIO_BUCKETS.partition_point(|&end| end < ratio)] += 1;
    }

    /// The ratio of observed to predicted that `percent` of a hundred requests stayed within, to the upper end of a bucket.
    /// `None` where fewer than `least` have been seen, or where it lies beyond the last bucket that ends.
    #[must_use]
    pub fn ratio_within(&self, percent: u64, least: u64) -> Option<f64> {
        if self.count < least.max(1) {
            return None;
        }
        let wanted = (self.count * percent.min(100)).div_ceil(100);
        let mut seen = 0;
        let reached = |count: &u64| {
            seen += count;
            seen >= wanted
        };
        let at = self.buckets.iter().position(reached)?;
        RATIO_BUCKETS.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ratio_is_that_of_all_but_a_few() {
        let mut accuracy = Accuracy::default();
        assert_eq!(accuracy.ratio_within(95, 0), None, "nothing was seen");
        (0..95).for_each(|_| accuracy.add(100.0, 105.0));
        (0..5).for_each(|_| accuracy.add(100.0, 900.0));
        assert_eq!(accuracy.ratio_within(95, 100), Some(1.1));
        assert_eq!(accuracy.ratio_within(95, 101), None, "too few");
        assert_eq!(accuracy.ratio_within(96, 1), None, "beyond all buckets");
    }
}

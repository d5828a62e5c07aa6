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
}

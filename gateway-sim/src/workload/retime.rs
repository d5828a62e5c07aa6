//! A trace at another rate, of another length.

use serde::{Deserialize, Serialize};

use super::Draft;

/// The most requests that repeating a trace may give.
const REQUESTS_AT_MOST: usize = 5_000_000;

/// How much of a trace is used, and how fast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retime {
    /// Uses only the first so many requests; all where unset.
    pub limit: Option<usize>,
    /// Plays them so many times, one after the other, with the same prompts: caches stay warm.
    pub repeat: usize,
    /// Time runs so many times as fast.
    pub rate: f64,
}

impl Default for Retime {
    fn default() -> Self {
        Self {
            limit: None,
            repeat: 1,
            rate: 1.0,
        }
    }
}

impl Retime {
    /// The requests that are left, from time 0 on. A `rate` that is not above 0 counts as 1.
    #[must_use]
    pub fn apply(&self, mut drafts: Vec<Draft>) -> Vec<Draft> {
        drafts.truncate(self.limit.unwrap_or(usize::MAX));
        let Some(begin) = drafts.first().map(|draft| draft.at_seconds) else {
            return drafts;
        };
        let rate = if self.rate > 0.0 { self.rate } else { 1.0 };
        let round_seconds = round_seconds(&drafts);
        let rounds = self
            .repeat
            .clamp(1, (REQUESTS_AT_MOST / drafts.len()).max(1));
        let once = drafts;
        let mut all = Vec::with_capacity(once.len() * rounds);
        let mut offset = -begin;
        for _ in 0..rounds {
            all.extend(once.iter().map(|draft| Draft {
                at_seconds: (draft.at_seconds + offset) / rate,
                ..draft.clone()
            }));
            offset += round_seconds;
        }
        all
    }
}

/// How long one round takes, with the gap that leads to the next one: the mean one.
fn round_seconds(drafts: &[Draft]) -> f64 {
    let (Some(first), Some(last)) = (drafts.first(), drafts.last()) else {
        return 0.0;
    };
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    let gaps = (drafts.len() - 1).max(1) as f64;
    (last.at_seconds - first.at_seconds) * (1.0 + 1.0 / gaps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafts(times: &[f64]) -> Vec<Draft> {
        times
            .iter()
            .map(|&at_seconds| Draft {
                at_seconds,
                input_tokens: 1,
                output_tokens: 1,
                blocks: [7].into(),
            })
            .collect()
    }

    fn times(drafts: &[Draft]) -> Vec<f64> {
        drafts.iter().map(|draft| draft.at_seconds).collect()
    }

    #[test]
    fn a_trace_is_cut_then_repeated_then_sped_up() {
        let retime = Retime {
            limit: Some(3),
            repeat: 2,
            rate: 2.0,
        };
        let out = retime.apply(drafts(&[10.0, 12.0, 14.0, 99.0]));
        assert_eq!(times(&out), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    }

    #[test]
    fn odd_settings_change_nothing() {
        for rate in [0.0, -1.0, f64::NAN] {
            let retime = Retime {
                repeat: 0,
                rate,
                ..Retime::default()
            };
            assert_eq!(times(&retime.apply(drafts(&[1.0, 4.0]))), [0.0, 3.0]);
            assert!(retime.apply(Vec::new()).is_empty());
        }
    }
}

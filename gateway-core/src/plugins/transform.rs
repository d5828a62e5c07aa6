//! Transforms: a scorer's word, bent.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, json};

use super::params::ensure;
use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
};

/// How a score is bent before it is weighed. A bare name (`logistic`) or a map with parameters
/// (`{name: logistic, k: 14}`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Transform {
    /// (score - low) / (high - low), cut off at 0 and 1: what lies outside counts as the nearer end.
    Linear {
        /// The score that becomes 0. Default: 0.
        low: f32,
        /// The score that becomes 1. Default: 1.
        high: f32,
    },
    /// 1 / (1 + exp(-k · (score - x0))): a soft threshold at `x0`, the steeper the greater `k`. Both defaults are those of
    /// Moreh's prefix scorer.
    Logistic {
        /// Steepness. Default: 14.
        k: f32,
        /// The score that becomes 0.5. Default: 0.7.
        x0: f32,
    },
}

impl Transform {
    /// The score, bent; 0 to 1 for every score, NaN counting as 0.
    #[must_use]
    pub fn apply(&self, score: f32) -> f32 {
        let score = if score.is_nan() {
            0.0
        } else {
            score.clamp(0.0, 1.0)
        };
        match *self {
            Self::Linear { low, high } => ((score - low) / (high - low)).clamp(0.0, 1.0),
            Self::Logistic { k, x0 } => 1.0 / (1.0 + (-k * (score - x0)).exp()),
        }
    }

    /// The same scorer with this done to its scores.
    pub fn over(self, scorer: Arc<dyn Scorer>) -> impl Scorer {
        Transformed {
            scorer,
            transform: self,
        }
    }

    /// Refuses parameters that make no sense.
    pub(crate) fn check(&self) -> Result<(), ParamError> {
        match *self {
            Self::Linear { low, high } => ensure(
                (0.0..1.0).contains(&low) && low < high && high <= 1.0,
                "`transform`: `low` and `high` must be from 0 to 1, `low` the smaller one",
            ),
            Self::Logistic { k, x0 } => {
                let steep = k.is_finite() && k > 0.0;
                ensure(steep, "`transform`: `k` must be a positive number")?;
                ensure(
                    (0.0..=1.0).contains(&x0),
                    "`transform`: `x0` must be from 0 to 1",
                )
            }
        }
    }
}

impl<'de> Deserialize<'de> for Transform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = match Value::deserialize(deserializer)? {
            Value::String(name) => json!({ "name": name }),
            written => written,
        };
        let written: Written = serde_json::from_value(written).map_err(de::Error::custom)?;
        Ok(match written {
            Written::Linear { low, high } => Self::Linear {
                low: low.unwrap_or(0.0),
                high: high.unwrap_or(1.0),
            },
            Written::Logistic { k, x0 } => Self::Logistic {
                k: k.unwrap_or(14.0),
                x0: x0.unwrap_or(0.7),
            },
        })
    }
}

/// A transform before its defaults are filled in.
#[derive(Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
enum Written {
    Linear { low: Option<f32>, high: Option<f32> },
    Logistic { k: Option<f32>, x0: Option<f32> },
}

struct Transformed {
    scorer: Arc<dyn Scorer>,
    transform: Transform,
}

impl Scorer for Transformed {
    fn score(&self, cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        self.scorer.score(cx, candidates, out);
        for score in out {
            *score = self.transform.apply(*score);
        }
    }

    fn samples(&self) -> bool {
        self.scorer.samples()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        plugin::scorer_fn,
        plugins::testing::{candidates, cx, scores, uniform},
    };

    fn read(json: &str) -> Result<Transform, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn bends_scores() {
        let linear = read(r#"{"name": "linear", "low": 0.2, "high": 0.6}"#).expect("valid");
        for (score, bent) in [(0.0, 0.0), (0.2, 0.0), (0.4, 0.5), (0.6, 1.0), (1.0, 1.0)] {
            assert!((linear.apply(score) - bent).abs() < 1e-6, "{score}");
        }
        let logistic = read(r#""logistic""#).expect("valid");
        assert_eq!(logistic.apply(0.7), 0.5);
        assert!((logistic.apply(0.8) - 0.802).abs() < 1e-3);
        assert!((logistic.apply(0.5) - 0.057).abs() < 1e-3);
        assert_eq!(linear.apply(f32::NAN), 0.0);
        assert!((0.0..=1.0).contains(&logistic.apply(f32::NEG_INFINITY)));
    }

    #[test]
    fn goes_over_any_scorer() {
        let fleet = uniform(2);
        let half = Transform::Logistic { k: 10.0, x0: 0.3 }.over(Arc::new(scorer_fn(|_, _| 0.3)));
        assert_eq!(scores(&half, &cx(1), &candidates(&fleet)), [0.5, 0.5]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (json, word) in [
            (r#""logistik""#, "logistik"),
            (r#"{"name": "linear", "x0": 1}"#, "x0"),
            (r#"{"k": 1}"#, "name"),
            ("7", "invalid type"),
        ] {
            let error = read(json).expect_err(json);
            assert!(error.contains(word), "{error}");
        }
        for json in [
            r#"{"name": "linear", "low": 0.5, "high": 0.5}"#,
            r#"{"name": "linear", "low": -0.1}"#,
            r#"{"name": "linear", "high": 1.5}"#,
            r#"{"name": "logistic", "k": 0}"#,
            r#"{"name": "logistic", "x0": 2}"#,
        ] {
            read(json).expect("well formed").check().expect_err(json);
        }
    }
}

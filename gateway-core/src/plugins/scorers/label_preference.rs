//! `label-preference`: some label values are liked better than others.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Scorer},
    plugins::params::ensure,
};

/// Parameters of [`LabelPreference`]. `label` and one of `values` and `weights` are required.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelPreferenceParams {
    /// The label to look at.
    pub label: String,
    /// Values from the best to the least liked; the scores fall evenly from 1.
    #[serde(default)]
    pub values: Vec<String>,
    /// A score from 0 to 1 for each value.
    #[serde(default)]
    pub weights: BTreeMap<String, f32>,
}

/// Scores each endpoint by the value of one label: by its place in `values` (n values score n/n, (n-1)/n, ... 1/n) or by
/// `weights`; values that are not listed, and endpoints without the label, score 0.
///
/// Use it for what would be nice: the near zone first, the reserved pool before the rented one. For what must hold use the
/// filter `labels`. Give it a weight above all load scorers together and it becomes strict: the next value is used only
/// where filters have emptied the one before.
#[derive(Clone, Debug)]
pub struct LabelPreference {
    label: String,
    scores: Vec<(String, f32)>,
}

impl LabelPreference {
    /// The scorer with its parameters.
    ///
    /// # Errors
    /// Where not exactly one of `values` and `weights` is given, a value occurs twice, or a weight is outside 0 to 1.
    pub fn new(params: LabelPreferenceParams) -> Result<Self, ParamError> {
        let LabelPreferenceParams {
            label,
            values,
            weights,
        } = params;
        ensure(
            values.is_empty() != weights.is_empty(),
            "give either `values` or `weights`, and at least one value",
        )?;
        ensure(
            weights.values().all(|weight| (0.0..=1.0).contains(weight)),
            "every weight must be from 0 to 1",
        )?;
        let twice = values
            .iter()
            .enumerate()
            .any(|(at, value)| values[..at].contains(value));
        ensure(!twice, "a value is listed twice")?;
        let count = values.len();
        let ranked = values
            .into_iter()
            .enumerate()
            .map(|(at, value)| (value, (count - at) as f32 / count as f32));
        Ok(Self {
            label,
            scores: ranked.chain(weights).collect(),
        })
    }

    fn one(&self, candidate: &Candidate<'_>) -> f32 {
        let Some(value) = candidate.endpoint.label(&self.label) else {
            return 0.0;
        };
        self.scores
            .iter()
            .find(|(liked, _)| liked == value)
            .map_or(0.0, |&(_, score)| score)
    }
}

impl Scorer for LabelPreference {
    fn score(&self, _cx: &RouteCx<'_>, candidates: &[Candidate<'_>], out: &mut [f32]) {
        for (candidate, score) in candidates.iter().zip(out) {
            *score = self.one(candidate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec,
        plugins::testing::{candidates, cx, fleet, scores},
    };

    fn built(json: &str) -> Result<LabelPreference, ParamError> {
        LabelPreference::new(serde_json::from_str(json).expect("well-formed"))
    }

    fn scored(json: &str) -> Vec<f32> {
        let zone = |name: &str| EndpointSpec::new(name).label("zone", name);
        let fleet = fleet([
            zone("near"),
            zone("far"),
            zone("moon"),
            EndpointSpec::new("unlabelled"),
        ]);
        scores(&built(json).expect("valid"), &cx(1), &candidates(&fleet))
    }

    #[test]
    fn the_order_or_the_weights_say_how_much() {
        assert_eq!(
            scored(r#"{"label": "zone", "values": ["near", "far"]}"#),
            [1.0, 0.5, 0.0, 0.0]
        );
        assert_eq!(
            scored(r#"{"label": "zone", "weights": {"far": 0.75, "moon": 0}}"#),
            [0.0, 0.75, 0.0, 0.0]
        );
        assert_eq!(scored(r#"{"label": "chip", "values": ["near"]}"#), [0.0; 4]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        built(r#"{"label": "zone"}"#).expect_err("nothing liked");
        built(r#"{"label": "zone", "values": ["a"], "weights": {"a": 1}}"#)
            .expect_err("two ways at once");
        built(r#"{"label": "zone", "values": ["a", "b", "a"]}"#).expect_err("twice");
        built(r#"{"label": "zone", "weights": {"a": 1.5}}"#).expect_err("too much");
        assert!(
            serde_json::from_str::<LabelPreferenceParams>(r#"{"values": ["a"]}"#).is_err(),
            "no label"
        );
    }
}

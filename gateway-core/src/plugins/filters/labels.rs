//! `labels`: the endpoint carries the label values asked for.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Filter},
    plugins::params::ensure,
};

/// One value, or several of which any will do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum LabelValues {
    /// Exactly this value.
    One(String),
    /// Any of these.
    AnyOf(Vec<String>),
}

impl LabelValues {
    fn admits(&self, value: &str) -> bool {
        match self {
            Self::One(only) => only == value,
            Self::AnyOf(values) => values.iter().any(|one| one == value),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::AnyOf(values) if values.is_empty())
    }
}

/// Parameters of [`Labels`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabelsParams {
    /// Label values that every request needs, beside its own selector. Default: none.
    pub require: BTreeMap<String, LabelValues>,
}

/// Keeps endpoints that carry every label value of [`RouteCx::selector`] and of the parameter `require`.
///
/// Use it for what must hold (a pool, a region, a chip a model needs); for what would merely be nice use the scorer
/// `label-preference`. A label that the endpoint does not carry is a mismatch.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    require: BTreeMap<String, LabelValues>,
}

impl Labels {
    /// The filter with its parameters.
    ///
    /// # Errors
    /// Where a label is required but no value would do.
    pub fn new(params: LabelsParams) -> Result<Self, ParamError> {
        let possible = params.require.values().all(|values| !values.is_empty());
        ensure(
            possible,
            "`require` lists a label without values; nobody could be chosen",
        )?;
        Ok(Self {
            require: params.require,
        })
    }
}

impl Filter for Labels {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        let carries = |label: &str| candidate.endpoint.label(label);
        cx.selector
            .iter()
            .all(|&(label, value)| carries(label) == Some(value))
            && self
                .require
                .iter()
                .all(|(label, values)| carries(label).is_some_and(|value| values.admits(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec,
        plugins::testing::{candidates, cx, fleet},
    };

    fn kept(filter: &Labels, selector: &[(&str, &str)]) -> Vec<bool> {
        let fleet = fleet([
            EndpointSpec::new("a")
                .label("zone", "eu")
                .label("chip", "h100"),
            EndpointSpec::new("b")
                .label("zone", "eu")
                .label("chip", "l40s"),
            EndpointSpec::new("c").label("zone", "us"),
        ]);
        let cx = cx(1).selector(selector);
        candidates(&fleet)
            .iter()
            .map(|c| filter.keep(&cx, c))
            .collect()
    }

    fn params(json: &str) -> LabelsParams {
        serde_json::from_str(json).expect("valid json")
    }

    #[test]
    fn the_request_and_the_parameters_both_count() {
        assert_eq!(kept(&Labels::default(), &[]), [true, true, true]);
        assert_eq!(
            kept(&Labels::default(), &[("zone", "eu")]),
            [true, true, false]
        );
        assert_eq!(
            kept(&Labels::default(), &[("zone", "eu"), ("chip", "h100")]),
            [true, false, false]
        );
        let any = Labels::new(params(r#"{"require": {"chip": ["h100", "l40s"]}}"#)).expect("valid");
        assert_eq!(kept(&any, &[]), [true, true, false], "no label is no match");
        let one = Labels::new(params(r#"{"require": {"chip": "l40s"}}"#)).expect("valid");
        assert_eq!(kept(&one, &[("zone", "us")]), [false, false, false]);
    }

    #[test]
    fn a_label_that_admits_nothing_is_refused() {
        Labels::new(params(r#"{"require": {"chip": []}}"#)).expect_err("nobody could pass");
        assert!(serde_json::from_str::<LabelsParams>(r#"{"required": {}}"#).is_err());
    }
}

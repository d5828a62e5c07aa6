//! `prompt-range`: the endpoint is meant for prompts of this length.

use serde::Deserialize;

use crate::{
    RouteCx,
    pipeline::ParamError,
    plugin::{Candidate, Filter},
    plugins::params::ensure,
};

/// Parameters of [`PromptRange`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PromptRangeParams {
    /// Shortest prompt, in tokens, for endpoints without a range of their own. Default: 0.
    pub min: u32,
    /// Longest prompt, in tokens, for endpoints without a range of their own. Default: no limit.
    pub max: Option<u32>,
    /// Count only the prompt tokens that the endpoint would have to compute. Default: false.
    pub uncached: bool,
}

/// Keeps endpoints whose [`prompt_range`](crate::EndpointSpec::prompt_range) contains the prompt's length; for those
/// without a range the parameters stand in. A request of unknown length (0 tokens) keeps everybody.
///
/// Use it to split a fleet by length, so that long prompts do not stand in front of short ones, with ranges that together
/// cover every length; make it soft where a gap is possible. With `uncached: true` a long conversation whose history is
/// cached counts as the short request it is. Where lengths should weigh and not forbid, use the scorer `length-fit`; where
/// rates are learned per engine, neither is needed.
///
/// The idea is known as length bucketing (SMG's `bucket`, llm-d's context-length-aware scorer).
#[derive(Clone, Copy, Debug, Default)]
pub struct PromptRange {
    params: PromptRangeParams,
}

impl PromptRange {
    /// The filter with its parameters.
    ///
    /// # Errors
    /// Where `min` is greater than `max`.
    pub fn new(params: PromptRangeParams) -> Result<Self, ParamError> {
        ensure(
            params.max.is_none_or(|max| params.min <= max),
            "`min` is greater than `max`",
        )?;
        Ok(Self { params })
    }
}

impl Filter for PromptRange {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        if cx.prompt_tokens == 0 {
            return true;
        }
        let length = if self.params.uncached {
            candidate.uncached_tokens(cx)
        } else {
            cx.prompt_tokens
        };
        let stand_in = (self.params.min, self.params.max.unwrap_or(u32::MAX));
        let (least, most) = candidate.endpoint.spec().prompt_range.unwrap_or(stand_in);
        (least..=most).contains(&length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec,
        plugins::testing::{candidates, cx, fleet},
    };

    fn kept(params: PromptRangeParams, tokens: u32, cached: u32) -> Vec<bool> {
        let filter = PromptRange::new(params).expect("valid");
        let fleet = fleet([
            EndpointSpec::new("short").prompt_range(0, 1_000),
            EndpointSpec::new("long").prompt_range(1_001, 100_000),
            EndpointSpec::new("any"),
        ]);
        let mut all = candidates(&fleet);
        all.iter_mut().for_each(|c| c.cached_tokens = cached);
        all.iter().map(|c| filter.keep(&cx(tokens), c)).collect()
    }

    #[test]
    fn both_ends_belong_to_the_range() {
        let none = PromptRangeParams::default();
        assert_eq!(kept(none, 1_000, 0), [true, false, true]);
        assert_eq!(kept(none, 1_001, 0), [false, true, true]);
        assert_eq!(kept(none, 100_001, 0), [false, false, true]);
        assert_eq!(
            kept(none, 0, 0),
            [true, true, true],
            "an unknown length rules nobody out"
        );
    }

    #[test]
    fn parameters_stand_in_where_the_endpoint_has_no_range() {
        let params = PromptRangeParams {
            min: 10,
            max: Some(20),
            uncached: false,
        };
        assert_eq!(kept(params, 9, 0), [true, false, false]);
        assert_eq!(kept(params, 20, 0), [true, false, true]);
        assert_eq!(kept(params, 21, 0), [true, false, false]);
        PromptRange::new(PromptRangeParams {
            min: 21,
            max: Some(20),
            uncached: false,
        })
        .expect_err("upside down");
    }

    #[test]
    fn cached_tokens_need_not_count() {
        let uncached = PromptRangeParams {
            uncached: true,
            ..PromptRangeParams::default()
        };
        assert_eq!(kept(uncached, 50_000, 49_900), [true, false, true]);
        assert_eq!(
            kept(PromptRangeParams::default(), 50_000, 49_900),
            [false, true, true]
        );
        assert_eq!(
            kept(uncached, 50_000, 50_000),
            [true, false, true],
            "all of it cached"
        );
    }
}

//! `context-fits`: prompt and output fit the endpoint's context.

use crate::{
    RouteCx,
    plugin::{Candidate, Filter},
};

/// Keeps endpoints with prompt + expected output <= [`context_tokens`](crate::EndpointSpec::context_tokens); an unknown
/// context keeps the endpoint.
///
/// Use it, hard, where engines of one model have different context lengths: the engine would refuse the request. In text
/// mode the prompt length is an estimate, so leave some room in `context_tokens` or make the filter soft.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContextFits;

impl Filter for ContextFits {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        let needed = u64::from(cx.prompt_tokens) + u64::from(cx.output_tokens);
        candidate
            .endpoint
            .spec()
            .context_tokens
            .is_none_or(|most| needed <= u64::from(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        EndpointSpec,
        plugins::testing::{candidates, cx, fleet},
    };

    #[test]
    fn the_last_token_fits_and_one_more_does_not() {
        let fleet = fleet([
            EndpointSpec::new("small").context_tokens(100),
            EndpointSpec::new("unknown"),
        ]);
        let all = candidates(&fleet);
        let kept = |prompt, output| {
            let cx = cx(prompt).output(output);
            all.iter()
                .map(|c| ContextFits.keep(&cx, c))
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(90, 10), [true, true]);
        assert_eq!(kept(90, 11), [false, true]);
        assert_eq!(kept(u32::MAX, u32::MAX), [false, true], "no overflow");
        assert_eq!(kept(0, 0), [true, true], "unknown lengths rule nobody out");
    }
}

//! `serves-adapter`: the endpoint has the LoRA adapter asked for.

use crate::{
    RouteCx,
    plugin::{Candidate, Filter},
};

/// Keeps endpoints whose [`adapters`](crate::EndpointSpec::adapters) contain the request's adapter; a request without one
/// keeps everybody.
///
/// Use it hard where adapters are loaded when engines start. Where engines load adapters while they run, make it soft,
/// behind all that is hard, or leave it out and let the scorer `lora-affinity` prefer those that have the adapter already.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServesAdapter;

impl Filter for ServesAdapter {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        cx.adapter
            .is_none_or(|adapter| candidate.endpoint.has_adapter(adapter))
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
    fn only_requests_with_an_adapter_are_held_to_it() {
        let fleet = fleet([
            EndpointSpec::new("sql").adapter("sql"),
            EndpointSpec::new("bare"),
        ]);
        let all = candidates(&fleet);
        let kept = |cx: &RouteCx<'_>| {
            all.iter()
                .map(|c| ServesAdapter.keep(cx, c))
                .collect::<Vec<_>>()
        };
        assert_eq!(kept(&cx(1)), [true, true]);
        assert_eq!(kept(&cx(1).adapter("sql")), [true, false]);
        assert_eq!(kept(&cx(1).adapter("chess")), [false, false]);
    }
}

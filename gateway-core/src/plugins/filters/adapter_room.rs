//! `adapter-room`: the endpoint has a place for the LoRA adapter asked for.

use crate::{
    RouteCx,
    plugin::{Candidate, Filter},
};

/// Keeps endpoints that compute for the request's adapter already or have a place left for one more, as they say
/// themselves ([`AdapterUse`](crate::load::AdapterUse)): vLLM computes for `--max-loras` adapters at a time and lets
/// requests for others wait. Engines that do not say pass, and so does a request without an adapter.
///
/// Use it soft: where everybody is full, waiting behind other adapters is all there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdapterRoom;

impl Filter for AdapterRoom {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        let adapters = candidate.endpoint.state().adapters();
        cx.adapter
            .is_none_or(|adapter| !adapters.is_full_for(adapter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        load::AdapterUse,
        plugins::testing::{candidates, cx, uniform},
    };

    #[test]
    fn who_computes_for_as_many_others_as_it_can_is_full() {
        let fleet = uniform(2);
        let usage = AdapterUse {
            slots: Some(2),
            running: vec!["law".to_owned(), "chess".to_owned()],
            ..AdapterUse::default()
        };
        fleet.endpoints()[0].state().adapters().used(Some(usage));
        let all = candidates(&fleet);
        let kept = |cx: &RouteCx<'_>| {
            let kept = all.iter().map(|one| AdapterRoom.keep(cx, one));
            kept.collect::<Vec<_>>()
        };
        assert_eq!(kept(&cx(1)), [true, true]);
        assert_eq!(kept(&cx(1).adapter("law")), [true, true]);
        assert_eq!(kept(&cx(1).adapter("sql")), [false, true]);
    }
}

//! `exclude`: the request rules the endpoint out.

use crate::{
    RouteCx,
    plugin::{Candidate, Filter},
};

/// Drops endpoints that [`RouteCx::exclude`] names, usually because an attempt there has failed.
///
/// Use it hard, so that a retry goes elsewhere or ends. Make it soft where a second attempt on the same endpoint is better
/// than none, as with a single endpoint behind a flaky network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exclude;

impl Filter for Exclude {
    fn keep(&self, cx: &RouteCx<'_>, candidate: &Candidate<'_>) -> bool {
        !cx.exclude.contains(&candidate.endpoint.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, uniform};

    #[test]
    fn drops_exactly_those_named() {
        let fleet = uniform(3);
        let all = candidates(&fleet);
        let tried = [all[1].endpoint.id()];
        let kept: Vec<_> = all
            .iter()
            .map(|c| Exclude.keep(&cx(1).exclude(&tried), c))
            .collect();
        assert_eq!(kept, [true, false, true]);
        assert!(all.iter().all(|c| Exclude.keep(&cx(1), c)));
    }
}

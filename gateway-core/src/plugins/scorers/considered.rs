//! From a scorer's word to the choice that followed: what scorers that learn have in common.

use std::collections::VecDeque;

use crate::{EndpointId, RouteCx, Stage, plugin::Candidate};

/// Decisions remembered at once. One waits only from its scores to its choice, so there are as many as threads that decide;
/// those without a choice, because another stage was taken or nobody was good enough, are pushed out.
const OPEN_DECISIONS: usize = 64;

/// What a request would have brought each candidate of the last decisions. The choice is told afterwards, by the endpoint's
/// number alone; this finds what it brought.
#[derive(Debug, Default)]
pub(super) struct Considered {
    open: VecDeque<Decision>,
}

#[derive(Debug, Default)]
struct Decision {
    draw: u64,
    stage: Stage,
    amounts: Vec<(EndpointId, f64)>,
}

impl Considered {
    /// Remembers what the request would bring each candidate.
    pub(super) fn remember(
        &mut self,
        cx: &RouteCx<'_>,
        candidates: &[Candidate<'_>],
        mut amount: impl FnMut(&Candidate<'_>) -> f64,
    ) {
        let mut decision = if self.open.len() < OPEN_DECISIONS {
            Decision::default()
        } else {
            self.open.pop_front().unwrap_or_default()
        };
        (decision.draw, decision.stage) = (cx.draw, cx.stage);
        decision.amounts.clear();
        let amounts = candidates.iter().map(|c| (c.endpoint.id(), amount(c)));
        decision.amounts.extend(amounts);
        self.open.push_back(decision);
    }

    /// What the request brought the endpoint that was chosen; 0 for a choice without a decision.
    pub(super) fn chosen(&mut self, cx: &RouteCx<'_>, endpoint: EndpointId) -> f64 {
        let is_it = |open: &Decision| open.draw == cx.draw && open.stage == cx.stage;
        let Some(at) = self.open.iter().rposition(is_it) else {
            return 0.0;
        };
        let decision = self.open.remove(at).unwrap_or_default();
        let mut amounts = decision.amounts.into_iter();
        amounts
            .find(|(id, _)| *id == endpoint)
            .map_or(0.0, |(_, amount)| amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::testing::{candidates, cx, uniform};

    #[test]
    fn finds_what_the_choice_brought_and_forgets_what_was_not_chosen() {
        let fleet = uniform(2);
        let all = candidates(&fleet);
        let mut considered = Considered::default();
        let request = |draw| {
            let mut cx = cx(1);
            cx.draw = draw;
            cx
        };
        for draw in 0..1_000 {
            let amount = |c: &Candidate<'_>| draw as f64 + c.endpoint.id().index() as f64 / 2.0;
            considered.remember(&request(draw), &all, amount);
        }
        assert_eq!(considered.open.len(), OPEN_DECISIONS);
        let second = all[1].endpoint.id();
        assert_eq!(considered.chosen(&request(999), second), 999.5);
        assert_eq!(considered.chosen(&request(999), second), 0.0, "once");
        assert_eq!(considered.chosen(&request(3), second), 0.0, "too old");
        let prefill = request(998).stage(Stage::Prefill);
        assert_eq!(considered.chosen(&prefill, second), 0.0, "another stage");
    }
}

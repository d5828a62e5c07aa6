//! How much a model is to reason: told to its template, kept at the edge.

use std::borrow::Cow;

use crate::ir::Request;
use crate::text::template::TemplateFacts;

/// Reasoning tokens that an effort allows, for templates that do not know efforts. `high` and beyond have no limit.
const BUDGETS: [(&str, u64); 3] = [("minimal", 512), ("low", 2_048), ("medium", 8_192)];

/// What a request's wishes come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReasoningPlan {
    /// The model is not to reason.
    pub(super) is_off: bool,
    /// The most reasoning tokens.
    pub(super) budget: Option<u64>,
}

impl ReasoningPlan {
    /// For a template that reads what `facts` say.
    pub(super) fn of(request: &Request, facts: &TemplateFacts) -> Self {
        let wishes = &request.reasoning;
        let effort = wishes.effort.as_deref();
        let is_off = effort == Some("none")
            || wishes.budget_tokens == Some(0)
            || wishes.enabled == Some(false);
        let by_effort = BUDGETS
            .iter()
            .find(|(name, _)| effort == Some(*name) && !facts.reads("reasoning_effort"))
            .map(|(_, budget)| *budget);
        Self {
            is_off,
            budget: wishes.budget_tokens.or(by_effort).filter(|_| !is_off),
        }
    }

    /// The request with its wish to do without reasoning in the one form that templates are told.
    pub(super) fn told<'a>(&self, request: &'a Request) -> Cow<'a, Request> {
        if !self.is_off || request.reasoning.enabled == Some(false) {
            return Cow::Borrowed(request);
        }
        let mut request = request.clone();
        request.reasoning.enabled = Some(false);
        Cow::Owned(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(change: impl FnOnce(&mut Request), reads: &[&str]) -> ReasoningPlan {
        let mut request = Request::default();
        change(&mut request);
        let mut facts = TemplateFacts::default();
        facts.variables = reads.iter().map(|name| (*name).to_owned()).collect();
        ReasoningPlan::of(&request, &facts)
    }

    #[test]
    fn efforts_become_budgets_where_the_template_knows_none() {
        let low = |request: &mut Request| request.reasoning.effort = Some("low".to_owned());
        assert_eq!(plan(low, &[]).budget, Some(2_048));
        assert_eq!(plan(low, &["reasoning_effort"]).budget, None);
        let own = plan(|request| request.reasoning.budget_tokens = Some(7), &[]);
        assert_eq!(own.budget, Some(7));
    }

    #[test]
    fn no_budget_and_no_effort_mean_no_reasoning() {
        let none = plan(
            |request| request.reasoning.effort = Some("none".to_owned()),
            &[],
        );
        let zero = plan(|request| request.reasoning.budget_tokens = Some(0), &[]);
        let expected = ReasoningPlan {
            is_off: true,
            budget: None,
        };
        assert_eq!((none, zero), (expected, expected));
        let request = Request::default();
        assert_eq!(expected.told(&request).reasoning.enabled, Some(false));
    }
}

//! The outcome of a decision.

use std::{sync::Arc, time::Duration};

use super::{Full, Late, claim::Claimed};
use crate::{
    Endpoint, Fleet, RouteCx, Timestamp,
    latency::{Forecast, OutputKey, OutputLengths},
    load::Booking,
};

/// A choice with its load booked; dropping it gives the load back.
#[derive(Debug)]
#[must_use = "dropping a placement releases its load at once"]
pub struct Placement {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) booking: Booking,
    pub(super) cached_tokens: u32,
    pub(super) candidates: u32,
    pub(super) forecast: Forecast,
    pub(super) claim: Option<Claimed>,
    pub(super) outputs: Arc<OutputLengths>,
    /// Under what its length is learned; `None` where that says nothing.
    pub(super) output_key: Option<OutputKey>,
    pub(super) placed_at: Timestamp,
    pub(super) first_token_after: Option<Duration>,
}

impl Placement {
    /// The chosen endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Prompt tokens that the endpoint was believed to hold.
    #[must_use]
    pub fn cached_tokens(&self) -> u32 {
        self.cached_tokens
    }

    /// How many endpoints were left to choose from.
    #[must_use]
    pub fn candidates(&self) -> u32 {
        self.candidates
    }

    /// What was predicted for the request on the chosen endpoint.
    #[must_use]
    pub fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// Time from the decision to the first token, once it is there.
    #[must_use]
    pub fn first_token_after(&self) -> Option<Duration> {
        self.first_token_after
    }

    /// Notes that the prompt's blocks will be on the endpoint. Outside the lock that joins choosing and booking: a long
    /// prompt has many.
    pub(super) fn claim(&mut self, fleet: &Fleet, cx: &RouteCx<'_>) {
        self.claim = Some(Claimed::place(fleet.residency(), self.endpoint.id(), cx));
    }

    fn served(&mut self, now: Timestamp) {
        if let Some(claim) = &mut self.claim {
            claim.served(now);
        }
    }

    /// The first token has come: the prompt no longer queues, and the prediction meets what happened. `cached_tokens` is
    /// what the engine says it found in its cache. Later calls do nothing.
    pub fn first_token(&mut self, cached_tokens: Option<u32>, now: Timestamp) {
        if self.first_token_after.is_some() {
            return;
        }
        let after = now.since(self.placed_at);
        self.first_token_after = Some(after);
        self.booking.first_token(cached_tokens, now);
        self.served(now);
        self.endpoint
            .state()
            .met(self.forecast.ttft_ms, after.as_secs_f64() * 1_000.0);
    }

    /// The decode leg of a pair is sent only now; `prefill_ms` is what the other leg is predicted to take from now on, the
    /// transfer included.
    pub fn handed_over(&mut self, prefill_ms: f64, now: Timestamp) {
        let due_ms = prefill_ms + self.forecast.ttft_ms;
        self.booking.handed_over(due_ms, now);
    }

    /// What comes is part of an answer that other calls write as well: nothing of how long answers are is learned of it.
    pub fn is_part(&mut self) {
        self.output_key = None;
    }

    /// The last token has come, `output_tokens` in all where that is known: the endpoint's model and the estimate of
    /// output lengths learn from it. The load stays booked until the placement is dropped.
    pub fn finished(&mut self, output_tokens: Option<u32>, now: Timestamp) {
        self.booking.finished(output_tokens, now);
        self.served(now);
        if let (Some(tokens), Some(key)) = (output_tokens, &self.output_key) {
            self.outputs.learn(key, tokens);
        }
    }
}

/// Nobody was left to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("no endpoint can take the request: {}", self.reasons())]
pub struct NoEndpoint {
    /// How many endpoints the fleet has.
    pub endpoints: u32,
    /// Who ruled out how many, in the order of the pipeline: the filter's name and a count.
    pub ruled_out: Vec<(String, u32)>,
    /// Whoever was left would have answered after the request's deadline.
    pub late: Option<Late>,
    /// Whoever was left has no room just now.
    pub full: Option<Full>,
}

impl NoEndpoint {
    /// Of two searches that found nobody: why the second one did, unless somebody in either would do with room.
    pub(super) fn or(mut self, other: Self) -> Self {
        match (&mut self.full, other.full) {
            (Some(full), Some(more)) => full.join(&more),
            (Some(_), None) => {}
            (None, full) => return Self { full, ..other },
        }
        self
    }

    fn reasons(&self) -> String {
        if let Some(full) = &self.full {
            return format!("{} could, and have no room", full.endpoints.len());
        }
        if let Some(late) = &self.late {
            let expected = late.expected.as_millis();
            return format!(
                "the earliest first token is expected in {expected} ms, past the deadline"
            );
        }
        if self.ruled_out.is_empty() {
            return format!("{} endpoints, none picked", self.endpoints);
        }
        let each: Vec<_> = self
            .ruled_out
            .iter()
            .map(|(name, count)| format!("{name} ruled out {count}"))
            .collect();
        format!("of {} endpoints {}", self.endpoints, each.join(", "))
    }
}

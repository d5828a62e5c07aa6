//! Spans for people who look closely: one for each pair, and one within it for each leg.

use gateway_proto::engines::transfer::Connector;
use tracing::{Span, field};

use super::broken::Broken;
use crate::RouteError;

/// A span whose outcome is told once; dropped before, it was cancelled.
pub(super) struct Traced {
    pub(super) span: Span,
    is_told: bool,
}

impl Traced {
    /// A pair of endpoints, for as long as either leg lasts.
    pub(super) fn pair(connector: Connector, prefill: &str, decode: &str) -> Self {
        let span = tracing::debug_span!(
            "pair",
            connector = connector.name(),
            prefill,
            decode,
            outcome = field::Empty,
            fault = field::Empty,
        );
        Self::of(span)
    }

    /// What `endpoint` is asked for as part of this pair: `bootstrap`, `prefill` or `decode`.
    pub(super) fn leg(&self, part: &'static str, endpoint: &str) -> Self {
        let span = tracing::debug_span!(
            parent: &self.span,
            "leg",
            part,
            endpoint,
            outcome = field::Empty,
            error = field::Empty,
        );
        Self::of(span)
    }

    fn of(span: Span) -> Self {
        Self {
            span,
            is_told: false,
        }
    }

    pub(super) fn ended(&mut self, outcome: &'static str) {
        if !self.is_told {
            self.span.record("outcome", outcome);
            self.is_told = true;
        }
    }

    /// A leg is over.
    pub(super) fn over<T>(&mut self, answer: &Result<T, RouteError>) {
        if let Err(error) = answer {
            self.span.record("error", error.kind().name());
        }
        self.ended(if answer.is_ok() { "served" } else { "failed" });
    }

    /// The pair cannot serve the request.
    pub(super) fn given_up(&mut self, broken: &Broken) {
        self.span.record("fault", broken.fault.name());
        self.ended("given_up");
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        self.ended("cancelled");
    }
}

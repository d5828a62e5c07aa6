//! One request in flight, and the sequences that decode.

use std::time::Duration;

use super::super::active::Share;
use crate::{Stage, Timestamp, latency::PromptWork};

/// One request in flight.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) stage: Stage,
    pub(super) sent: Timestamp,
    pub(super) prompt: PromptWork,
    /// Predicted prompt time at a speed of 1.
    pub(super) base_ms: f64,
    pub(super) link_ms: f64,
    pub(super) context: f64,
    pub(super) output: f64,
    pub(super) share: Share,
    pub(super) first: Option<Mark>,
    /// When a decode leg was sent, and in how many milliseconds from then its first token was due.
    pub(super) handed_over: Option<(Timestamp, f64)>,
    /// When the prompt counts as done without anybody saying so.
    pub(super) lapses_at: Option<Timestamp>,
}

/// The sequences that decode, and how much they did.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Decoding {
    pub(super) sequences: f64,
    pub(super) context: f64,
    pub(super) seen: Mark,
}

/// Running totals at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    pub(super) at: Timestamp,
    pub(super) sequence_ms: f64,
    pub(super) context_ms: f64,
    pub(super) prefill_ms: f64,
    pub(super) prefill_steps: f64,
}

impl Flight {
    /// Whether its tokens are seen as they come.
    pub(super) fn is_heard(&self) -> bool {
        self.lapses_at.is_none()
    }

    /// Whether its prompt is still to be computed here.
    pub(super) fn is_waiting(&self) -> bool {
        self.first.is_none() && self.stage != Stage::Decode
    }

    /// When it was sent here, where it is a decode leg that has its first token still to show, and in how many milliseconds
    /// from then that was due.
    pub(super) fn handed_over(&self) -> Option<(Timestamp, f64)> {
        let is_due = self.first.is_none() && self.stage == Stage::Decode;
        self.handed_over.filter(|_| is_due)
    }

    /// Whether it decodes here.
    pub(super) fn is_decoding(&self) -> bool {
        self.first.is_some() && self.stage != Stage::Prefill
    }
}

impl Decoding {
    /// Brings the running totals up to `now`. A clock that jumps back changes nothing.
    pub(super) fn advance(&mut self, now: Timestamp) {
        let seen = &mut self.seen;
        let passed = millis(now.since(seen.at));
        seen.sequence_ms += passed * self.sequences;
        seen.context_ms += passed * self.context;
        seen.at = seen.at.max(now);
    }

    /// A request has its first token.
    pub(super) fn starts(&mut self, flight: &mut Flight) {
        flight.first = Some(self.seen);
        if flight.is_decoding() {
            self.sequences += 1.0;
            self.context += flight.context;
        }
    }

    /// A request leaves.
    pub(super) fn ends(&mut self, flight: &Flight) {
        if flight.is_decoding() {
            self.sequences -= 1.0;
            self.context -= flight.context;
        }
    }
}

pub(super) fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

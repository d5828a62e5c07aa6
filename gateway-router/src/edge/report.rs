//! What the edge did for one answer.

use std::{sync::Arc, time::Duration};

use gateway_proto::ir::{Event, Step};

use super::{Ask, Preparation};
use crate::ReportSink;

/// The edge's part in one answer, by tokens or translated by text, told once, when the answer is over or nobody waits for it any more.
///
/// Calls to engines have [`RouteReport`](crate::RouteReport)s of their own, one each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeReport {
    /// The request's id.
    pub request_id: Arc<str>,
    /// The model asked for.
    pub model: Arc<str>,
    /// What read the answer's tool calls; `None` where the engine itself did, by text. All further counts but
    /// [`violations`](Self::violations) are zero then.
    pub parser: Option<&'static str>,
    /// Tokens of all prompts.
    pub prompt_tokens: u64,
    /// Of these, tokens that an earlier turn had encoded.
    pub kept_tokens: u64,
    /// Time spent with rendering and encoding, the wait for a turn included.
    pub preparing: Duration,
    /// Calls that went on after reasoning was closed at its budget.
    pub budget_continuations: u32,
    /// Calls that went on with a constraint where reasoning had ended.
    pub constraint_continuations: u32,
    /// Choices that were ended here and not by the engine: by a stop text, or by what they held.
    pub stops: u32,
    /// Choices that broke the form that was promised.
    pub violations: u32,
}

impl EdgeReport {
    /// Of an answer by text.
    pub(super) fn by_text(ask: &Ask) -> Self {
        Self {
            request_id: Arc::clone(&ask.request_id),
            model: ask.request.model.as_str().into(),
            parser: None,
            prompt_tokens: 0,
            kept_tokens: 0,
            preparing: Duration::ZERO,
            budget_continuations: 0,
            constraint_continuations: 0,
            stops: 0,
            violations: 0,
        }
    }

    /// Of an answer by tokens.
    pub(super) fn by_tokens(ask: &Ask, parser: &'static str, preparation: &Preparation) -> Self {
        Self {
            parser: Some(parser),
            prompt_tokens: preparation.prompt_tokens,
            kept_tokens: preparation.kept_tokens,
            preparing: preparation.took,
            ..Self::by_text(ask)
        }
    }
}

/// Whether a choice ends here and has broken the form that was promised.
pub(super) fn is_violation(event: &Event) -> bool {
    let Event::Step { step, .. } = event else {
        return false;
    };
    matches!(
        step,
        Step::Finished {
            violation: Some(_),
            ..
        }
    )
}

/// Counts while an answer lasts, and tells when it is dropped.
pub(super) struct Telling {
    pub(super) report: EdgeReport,
    sink: Arc<dyn ReportSink>,
}

impl Telling {
    pub(super) fn new(report: EdgeReport, sink: Arc<dyn ReportSink>) -> Self {
        Self { report, sink }
    }

    /// Counts the choices that break their promise among events that the caller gets.
    pub(super) fn count_violations<'a>(&mut self, events: impl IntoIterator<Item = &'a Event>) {
        let broken = events.into_iter().filter(|event| is_violation(event));
        self.report.violations += u32::try_from(broken.count()).unwrap_or(u32::MAX);
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.sink.edge(&self.report);
    }
}

//! What the edge did for one answer by tokens.

use std::{sync::Arc, time::Duration};

use crate::ReportSink;

/// The edge's part in one answer by tokens, told once, when the answer is over or nobody waits for it any more.
///
/// Calls to engines have [`RouteReport`](crate::RouteReport)s of their own, one each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeReport {
    /// The request's id.
    pub request_id: Arc<str>,
    /// The model asked for.
    pub model: Arc<str>,
    /// What read the answer's tool calls.
    pub parser: &'static str,
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

/// Counts while an answer lasts, and tells when it is dropped.
pub(super) struct Telling {
    pub(super) report: EdgeReport,
    sink: Arc<dyn ReportSink>,
}

impl Telling {
    pub(super) fn new(report: EdgeReport, sink: Arc<dyn ReportSink>) -> Self {
        Self { report, sink }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.sink.edge(&self.report);
    }
}

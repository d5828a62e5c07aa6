//! The fate of one request.

use std::time::Duration;

use super::TraceRequest;

/// The fate of one request of a trace. Times are virtual seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayRecord {
    /// When it came.
    pub arrived_seconds: f64,
    /// The engine of its output, none where it was rejected before it had one.
    pub engine: Option<u32>,
    /// The engine of its prompt where that is another one.
    pub prefill_engine: Option<u32>,
    /// Prompt tokens.
    pub input_tokens: u32,
    /// Of these, what the engine of its prompt found in its cache at the first admission, host memory included.
    pub cached_tokens: u32,
    /// Tokens it got.
    pub output_tokens: u32,
    /// When its first token came out.
    pub first_token_seconds: Option<f64>,
    /// When its last token came out.
    pub finished_seconds: Option<f64>,
    /// How often it lost its place in a batch.
    pub preemptions: u32,
    /// Whether nobody served it: the router refused it or held it too often, or its engine is too small for it.
    pub rejected: bool,
    /// Its objective for the time to the first token, in milliseconds.
    pub ttft_slo_ms: f64,
    /// Its objective for the mean time per output token, in milliseconds.
    pub tpot_slo_ms: f64,
}

impl ReplayRecord {
    pub(super) fn new(request: &TraceRequest) -> Self {
        Self {
            arrived_seconds: request.at_seconds,
            engine: None,
            prefill_engine: None,
            input_tokens: request.input_tokens,
            cached_tokens: 0,
            output_tokens: 0,
            first_token_seconds: None,
            finished_seconds: None,
            preemptions: 0,
            rejected: false,
            ttft_slo_ms: request.ttft_slo_ms,
            tpot_slo_ms: request.tpot_slo_ms,
        }
    }

    /// Time from arrival to the first token.
    #[must_use]
    pub fn ttft(&self) -> Option<Duration> {
        self.first_token_seconds
            .map(|at| span(self.arrived_seconds, at))
    }

    /// Mean time of a token after the first, of finished requests with more than one.
    #[must_use]
    pub fn tpot(&self) -> Option<Duration> {
        let (first, last) = (self.first_token_seconds?, self.finished_seconds?);
        (self.output_tokens > 1).then(|| span(first, last) / (self.output_tokens - 1))
    }

    /// Time from arrival to the last token.
    #[must_use]
    pub fn e2e(&self) -> Option<Duration> {
        self.finished_seconds
            .map(|at| span(self.arrived_seconds, at))
    }

    /// Whether it finished within both objectives; one token alone has no time per output token.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let within = |time: Duration, slo_ms: f64| time.as_secs_f64() * 1_000.0 <= slo_ms;
        self.finished_seconds.is_some()
            && self
                .ttft()
                .is_some_and(|time| within(time, self.ttft_slo_ms))
            && self
                .tpot()
                .is_none_or(|time| within(time, self.tpot_slo_ms))
    }
}

fn span(from: f64, to: f64) -> Duration {
    Duration::from_secs_f64((to - from).max(0.0))
}

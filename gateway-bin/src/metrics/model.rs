//! What is counted per model and per endpoint.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use gateway_router::{Ending, ErrorKind, GAP_BUCKETS_MICROS, RouteReport, proto::openai::Api};

use super::{
    edge::EdgeCounts,
    hedges::HedgeCounts,
    histogram::{Histogram, LONG_MICROS, SHORT_MICROS},
    migrations::MigrationCounts,
    pairs::PairCounts,
};

/// Statuses that are counted apart; any other counts as 0, shown as `other`.
pub(super) const STATUSES: [u16; 18] = [
    0, 200, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 500, 501, 502, 503, 504,
];

/// The routes that are counted apart.
pub(super) const APIS: [Api; Api::ALL.len()] = Api::ALL;

/// The label of an ending.
pub(super) fn ending_name(ending: Ending) -> &'static str {
    match ending {
        Ending::Completed => "completed",
        Ending::Failed(kind) => kind.name(),
        Ending::Resumed(_) => "resumed",
        Ending::Cancelled => "cancelled",
    }
}

#[derive(Debug)]
pub(super) struct ModelCounts {
    pub(super) requests: [[AtomicU64; STATUSES.len()]; APIS.len()],
    pub(super) ttft: Histogram,
    pub(super) gaps: Histogram,
    pub(super) total: Histogram,
    pub(super) decision: Histogram,
    pub(super) queued: Histogram,
    pub(super) retries: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) prompt_estimate: AtomicU64,
    pub(super) cached_estimate: AtomicU64,
    pub(super) prompt_tokens: AtomicU64,
    pub(super) cached_tokens: AtomicU64,
    pub(super) completion_tokens: AtomicU64,
    pub(super) hedges: HedgeCounts,
    pub(super) migrations: MigrationCounts,
    pub(super) pairs: PairCounts,
    pub(super) edge: EdgeCounts,
}

impl ModelCounts {
    pub(super) fn new() -> Self {
        Self {
            requests: Default::default(),
            ttft: Histogram::new(&LONG_MICROS),
            gaps: Histogram::new(&GAP_BUCKETS_MICROS),
            total: Histogram::new(&LONG_MICROS),
            decision: Histogram::new(&SHORT_MICROS),
            queued: Histogram::new(&LONG_MICROS),
            retries: AtomicU64::new(0),
            late: AtomicU64::new(0),
            prompt_estimate: AtomicU64::new(0),
            cached_estimate: AtomicU64::new(0),
            prompt_tokens: AtomicU64::new(0),
            cached_tokens: AtomicU64::new(0),
            completion_tokens: AtomicU64::new(0),
            hedges: HedgeCounts::default(),
            migrations: MigrationCounts::default(),
            pairs: PairCounts::default(),
            edge: EdgeCounts::new(),
        }
    }

    pub(super) fn answered(&self, api: Api, status: u16) {
        let row = APIS
            .iter()
            .position(|known| *known == api)
            .unwrap_or_default();
        let column = STATUSES
            .iter()
            .position(|known| *known == status)
            .unwrap_or_default();
        self.requests[row][column].fetch_add(1, Relaxed);
    }

    pub(super) fn report(&self, report: &RouteReport) {
        if let Some(ttft) = report.ttft {
            self.ttft.observe(ttft);
        }
        if report.gaps.count > 0 {
            self.gaps.add(&report.gaps.buckets, report.gaps.sum_micros);
        }
        self.total.observe(report.total);
        if !report.queued.is_zero() {
            self.queued.observe(report.queued);
        }
        if let Some(hedge) = &report.hedge {
            self.hedges.report(hedge);
        }
        self.migrations.report(report);
        if let Some(pair) = &report.pair {
            self.pairs.report(pair);
        }
        let is_late = report.ending == Ending::Failed(ErrorKind::TooLate);
        self.late.fetch_add(u64::from(is_late), Relaxed);
        if report.attempts > 0 {
            self.decision.observe_micros(report.decision_micros);
            self.retries
                .fetch_add(u64::from(report.attempts - 1), Relaxed);
        }
        if let Some(usage) = report.usage {
            self.completion_tokens
                .fetch_add(usage.completion_tokens, Relaxed);
        }
        if report.leg.counts_prompt() {
            self.prompt(report);
        }
    }

    /// A prompt that the caller sent, however many calls it takes to answer it.
    fn prompt(&self, report: &RouteReport) {
        if report.attempts > 0 {
            self.prompt_estimate
                .fetch_add(report.prompt_tokens_estimate.into(), Relaxed);
            self.cached_estimate
                .fetch_add(report.cached_tokens_estimate.into(), Relaxed);
        }
        if let Some(usage) = report.usage {
            self.prompt_tokens.fetch_add(usage.prompt_tokens, Relaxed);
            self.cached_tokens
                .fetch_add(usage.cached_tokens.unwrap_or(0), Relaxed);
        }
    }
}

/// Endings that are counted per endpoint, by name.
pub(super) const ENDINGS: [&str; 14] = [
    "other",
    "completed",
    "cancelled",
    "bad_request",
    "unknown_model",
    "no_endpoint",
    "connect",
    "closed",
    "broken",
    "timeout",
    "busy",
    "engine_failed",
    "rejected",
    "recomputed",
];

#[derive(Debug, Default)]
pub(super) struct EndpointCounts {
    pub(super) endings: [AtomicU64; ENDINGS.len()],
}

impl EndpointCounts {
    pub(super) fn report(&self, report: &RouteReport) {
        // To the endpoint it is a failure, whatever the caller saw of it.
        let name = match report.ending {
            Ending::Resumed(kind) => kind.name(),
            ending => ending_name(ending),
        };
        let at = ENDINGS
            .iter()
            .position(|known| *known == name)
            .unwrap_or_default();
        self.endings[at].fetch_add(1, Relaxed);
    }
}

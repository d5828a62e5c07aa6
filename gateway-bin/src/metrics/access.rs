//! The access line of requests that reach the router: one each, when the request has ended.

use std::time::Duration;

use gateway_router::{CleanupReport, Ending, PairReport, RouteReport, Stuck, edge::EdgeReport};

use super::model::ending_name;

pub(super) fn log(report: &RouteReport) {
    // What is not known is left out: a reply that came whole has no first token, a stream may have no usage, a caller
    // who left early has no status.
    tracing::info!(
        target: "gateway::access",
        request_id = &*report.request_id,
        strand = Some(report.leg.strand).filter(|strand| *strand > 0),
        leg = Some(report.leg.number).filter(|leg| *leg > 0),
        model = &*report.model,
        endpoint = report.endpoint.as_deref().unwrap_or("-"),
        status = report.status,
        outcome = ending_name(report.ending),
        broken_by = broken_by(report.ending),
        stuck = report.stuck.map(Stuck::name),
        resumes = report.leg.resumes.map(|taken| taken.number),
        recomputed_tokens = report.leg.resumes.map(|taken| taken.recomputed_tokens),
        pair = report.pair.as_ref().map(|pair| format!("{pair:#}")),
        hedge = report.hedge.as_ref().map(|hedge| format!("{hedge:#}")),
        prefill_ms = pair_ms(report, |pair| pair.prefill_took),
        decode_first_ms = pair_ms(report, |pair| pair.decode_took),
        stream = report.stream,
        attempts = report.attempts,
        ttft_ms = report.ttft.map(|ttft| ttft.as_secs_f64() * 1e3),
        predicted_ttft_ms = report.predicted_ttft.map(|ttft| ttft.as_secs_f64() * 1e3),
        total_ms = report.total.as_secs_f64() * 1e3,
        prompt_tokens = report.usage.map(|usage| usage.prompt_tokens),
        completion_tokens = report.usage.map(|usage| usage.completion_tokens),
        predicted_cached_tokens = report.predicted_ttft.map(|_| report.cached_tokens_estimate),
        cached_tokens = report.usage.and_then(|usage| usage.cached_tokens),
        "served"
    );
}

/// A time of the request's pair, where it had one.
fn pair_ms(report: &RouteReport, time: fn(&PairReport) -> Option<Duration>) -> Option<f64> {
    let took = time(report.pair.as_ref()?)?;
    Some(took.as_secs_f64() * 1e3)
}

/// A leg of a pair that nobody wanted any more.
pub(super) fn log_cleanup(report: &CleanupReport) {
    tracing::info!(
        target: "gateway::pairs",
        request_id = &*report.request_id,
        endpoint = &*report.endpoint,
        cleanup = report.cleanup.name(),
        "a leg was given up"
    );
}

/// What went wrong where another call takes the answer up.
fn broken_by(ending: Ending) -> Option<&'static str> {
    match ending {
        Ending::Resumed(kind) => Some(kind.name()),
        _ => None,
    }
}

/// The edge's part, for people who look closely.
pub(super) fn log_edge(report: &EdgeReport) {
    tracing::debug!(
        target: "gateway::edge",
        request_id = &*report.request_id,
        model = &*report.model,
        parser = report.parser,
        prompt_tokens = report.prompt_tokens,
        kept_tokens = report.kept_tokens,
        prepare_ms = report.preparing.as_secs_f64() * 1e3,
        budget_continuations = report.budget_continuations,
        constraint_continuations = report.constraint_continuations,
        stops = report.stops,
        violations = report.violations,
        "answered"
    );
}

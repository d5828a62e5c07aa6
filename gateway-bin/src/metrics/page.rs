//! The whole page.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use gateway_core::{Fleet, Timestamp};
use gateway_govern::records::Usage;
use gateway_router::feed::FeedStatus;

use super::{
    door::{Door, Rejection},
    edge, endpoints, feeds, forecasts,
    histogram::Histogram,
    model::{APIS, ENDINGS, ModelCounts, STATUSES},
    process,
    sink::{Metrics, Tables},
    text::Page,
};
use crate::config::ServedModel;

/// The metrics page for `fleet` and its KV feeds at `now`.
pub(crate) fn page(
    metrics: &Metrics,
    fleet: &Fleet,
    kv: &[(String, FeedStatus)],
    now: Timestamp,
) -> String {
    let mut page = Page::default();
    let tables = metrics.tables.load();
    requests(&mut page, &tables);
    histograms(&mut page, &tables);
    tokens(&mut page, &tables);
    super::hedges::write(&mut page, &tables);
    super::migrations::write(&mut page, &tables);
    super::pairs::write(&mut page, &tables, &metrics.cleanups);
    attempts(&mut page, &tables);
    door(&mut page, &metrics.door);
    endpoints::write(&mut page, fleet, now);
    forecasts::write(&mut page, fleet, now);
    feeds::write(&mut page, kv);
    process::write(&mut page, &metrics.lost_lines);
    page.finish()
}

/// The page's part on the Responses API, where its store holds `store` and `running` responses are made in the background.
pub(crate) fn responses_page(metrics: &Metrics, store: &Usage, running: usize) -> String {
    let mut page = Page::default();
    metrics.responses.write(&mut page, store, running);
    page.finish()
}

/// The page's part on models that are served by tokens.
pub(crate) fn edge_page(metrics: &Metrics, models: &BTreeMap<String, ServedModel>) -> String {
    let mut page = Page::default();
    edge::write(&mut page, &metrics.tables.load(), models);
    page.finish()
}

pub(super) fn sorted(tables: &Tables) -> Vec<(&str, &ModelCounts)> {
    let mut models: Vec<_> = tables
        .models
        .iter()
        .map(|(name, counts)| (&**name, &**counts))
        .collect();
    models.sort_unstable_by_key(|(name, _)| *name);
    models
}

fn requests(page: &mut Page, tables: &Tables) {
    let name = "gateway_requests_total";
    page.family(
        name,
        "counter",
        "Requests answered, by route, model and status.",
    );
    for (model, counts) in sorted(tables) {
        for (api, row) in APIS.iter().zip(&counts.requests) {
            for (status, count) in STATUSES.iter().zip(row) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let status = if *status == 0 {
                        "other".to_owned()
                    } else {
                        status.to_string()
                    };
                    page.sample(
                        name,
                        &[("api", api.name()), ("model", model), ("status", &status)],
                        count,
                    );
                }
            }
        }
    }
}

fn histograms(page: &mut Page, tables: &Tables) {
    type Pick = fn(&ModelCounts) -> &Histogram;
    let families: [(&str, &str, Pick); 5] = [
        (
            "gateway_time_to_first_token_seconds",
            "From the request's coming to the reply's first byte.",
            |m| &m.ttft,
        ),
        (
            "gateway_inter_token_seconds",
            "Between two chunks of a stream.",
            |m| &m.gaps,
        ),
        (
            "gateway_request_duration_seconds",
            "From the request's coming to the reply's end.",
            |m| &m.total,
        ),
        (
            "gateway_decision_seconds",
            "Choosing endpoints, all attempts of a request together.",
            |m| &m.decision,
        ),
        (
            "gateway_queue_seconds",
            "Waiting for an endpoint with room, requests that waited.",
            |m| &m.queued,
        ),
    ];
    for (name, help, pick) in families {
        page.family(name, "histogram", help);
        for (model, counts) in sorted(tables) {
            pick(counts).write(page, name, &[("model", model)]);
        }
    }
}

fn tokens(page: &mut Page, tables: &Tables) {
    type Pick = fn(&ModelCounts) -> &AtomicU64;
    let families: [(&str, &str, Pick); 7] = [
        (
            "gateway_retries_total",
            "Attempts after a request's first.",
            |m| &m.retries,
        ),
        (
            "gateway_deadline_refusals_total",
            "Requests refused because no endpoint was predicted to answer before their deadline.",
            |m| &m.late,
        ),
        (
            "gateway_prompt_tokens_estimate_total",
            "Prompt tokens, estimated from bytes.",
            |m| &m.prompt_estimate,
        ),
        (
            "gateway_cached_tokens_estimate_total",
            "Prompt tokens believed cached when placed.",
            |m| &m.cached_estimate,
        ),
        (
            "gateway_prompt_tokens_total",
            "Prompt tokens as engines counted them.",
            |m| &m.prompt_tokens,
        ),
        (
            "gateway_cached_tokens_total",
            "Prompt tokens that engines found cached.",
            |m| &m.cached_tokens,
        ),
        (
            "gateway_completion_tokens_total",
            "Tokens generated, as engines counted them.",
            |m| &m.completion_tokens,
        ),
    ];
    for (name, help, pick) in families {
        page.family(name, "counter", help);
        for (model, counts) in sorted(tables) {
            page.sample(name, &[("model", model)], pick(counts).load(Relaxed));
        }
    }
}

fn attempts(page: &mut Page, tables: &Tables) {
    let name = "gateway_endpoint_requests_total";
    page.family(
        name,
        "counter",
        "Requests by the endpoint that had them last and by how they ended.",
    );
    let mut endpoints: Vec<_> = tables.endpoints.iter().collect();
    endpoints.sort_unstable_by_key(|(name, _)| *name);
    for (endpoint, counts) in endpoints {
        for (ending, count) in ENDINGS.iter().zip(&counts.endings) {
            let count = count.load(Relaxed);
            if count > 0 {
                page.sample(name, &[("endpoint", endpoint), ("outcome", ending)], count);
            }
        }
    }
}

fn door(page: &mut Page, door: &Door) {
    page.family(
        "gateway_requests_in_flight",
        "gauge",
        "Requests between their head and their reply's head.",
    );
    page.sample(
        "gateway_requests_in_flight",
        &[],
        door.in_flight.load(Relaxed),
    );
    page.family("gateway_connections", "gauge", "Open client connections.");
    page.sample("gateway_connections", &[], door.open.load(Relaxed));
    page.family(
        "gateway_connections_total",
        "counter",
        "Client connections accepted.",
    );
    page.sample(
        "gateway_connections_total",
        &[],
        door.accepted.load(Relaxed),
    );
    page.family(
        "gateway_connections_stalled_total",
        "counter",
        "Client connections closed because the client took nothing of a reply.",
    );
    page.sample(
        "gateway_connections_stalled_total",
        &[],
        door.stalled.load(Relaxed),
    );
    page.family(
        "gateway_rejected_total",
        "counter",
        "Turned away at the door, by reason.",
    );
    for (why, count) in Rejection::ALL.iter().zip(&door.rejected) {
        page.sample(
            "gateway_rejected_total",
            &[("reason", why.name())],
            count.load(Relaxed),
        );
    }
    page.family(
        "gateway_reloads_total",
        "counter",
        "Configuration reloads, by result.",
    );
    for (result, count) in ["refused", "taken"].iter().zip(&door.reloads) {
        page.sample(
            "gateway_reloads_total",
            &[("result", result)],
            count.load(Relaxed),
        );
    }
}

//! What the router predicts of each endpoint, and how that meets what happens.

use std::sync::Arc;

use gateway_core::{
    Endpoint, Fleet, Timestamp,
    latency::{Accuracy, EngineModel, Forecast, RATIO_BUCKETS},
    load::Demand,
};

use super::text::Page;

struct Seen<'a> {
    endpoint: &'a Arc<Endpoint>,
    accuracy: Accuracy,
    model: EngineModel,
    /// What the smallest request would meet now.
    forecast: Forecast,
}

type Value = fn(&Seen<'_>) -> f64;

/// Name, type, help.
const SIMPLE: [(&str, &str, &str, Value); 6] = [
    (
        "gateway_endpoint_ttft_predicted_seconds_total",
        "counter",
        "Predicted times to first token, added up over requests whose first token was seen.",
        |seen| seen.accuracy.predicted_ms / 1_000.0,
    ),
    (
        "gateway_endpoint_ttft_observed_seconds_total",
        "counter",
        "Observed times from decision to first token of the same requests, added up.",
        |seen| seen.accuracy.observed_ms / 1_000.0,
    ),
    (
        "gateway_endpoint_ttft_error_seconds_total",
        "counter",
        "Differences between the two without their sign, added up.",
        |seen| seen.accuracy.error_ms / 1_000.0,
    ),
    (
        "gateway_endpoint_drifts_total",
        "counter",
        "Sudden changes of speed that were detected.",
        |seen| seen.model.drifts() as f64,
    ),
    (
        "gateway_endpoint_predicted_wait_seconds",
        "gauge",
        "Time until the prompts at the endpoint are done, as predicted now.",
        |seen| seen.forecast.wait_ms / 1_000.0,
    ),
    (
        "gateway_endpoint_kv_occupancy",
        "gauge",
        "Share of the KV cache that active requests will hold, as predicted now; 0 where its size is unknown.",
        |seen| seen.forecast.occupancy,
    ),
];

pub(super) fn write(page: &mut Page, fleet: &Fleet, now: Timestamp) {
    let seen: Vec<Seen<'_>> = fleet
        .endpoints()
        .iter()
        .map(|endpoint| see(endpoint, fleet, now))
        .collect();
    for (name, kind, help, value) in SIMPLE {
        page.family(name, kind, help);
        for one in &seen {
            page.sample(name, &[("endpoint", one.endpoint.name())], value(one));
        }
    }
    speeds(page, &seen);
    ratios(page, &seen);
}

fn see<'a>(endpoint: &'a Arc<Endpoint>, fleet: &Fleet, now: Timestamp) -> Seen<'a> {
    let state = endpoint.state();
    let load = state.load(&fleet.config().telemetry, now);
    Seen {
        endpoint,
        accuracy: state.accuracy(),
        model: state.model(),
        forecast: state.forecast(&Demand::default(), &load, now),
    }
}

fn speeds(page: &mut Page, seen: &[Seen<'_>]) {
    let name = "gateway_endpoint_time_factor";
    page.family(
        name,
        "gauge",
        "Learned factor on the times of the endpoint's class: 2 is half as fast.",
    );
    for one in seen {
        let learned = one.model.learned();
        for (part, factor) in [("prefill", learned.prefill), ("decode", learned.decode)] {
            page.sample(
                name,
                &[("endpoint", one.endpoint.name()), ("part", part)],
                factor,
            );
        }
    }
}

fn ratios(page: &mut Page, seen: &[Seen<'_>]) {
    let name = "gateway_endpoint_ttft_ratio";
    page.family(
        name,
        "histogram",
        "Observed over predicted time to first token.",
    );
    for one in seen {
        let endpoint = one.endpoint.name();
        let mut total = 0;
        for (at, count) in one.accuracy.buckets.iter().enumerate() {
            total += count;
            let end = RATIO_BUCKETS
                .get(at)
                .map_or_else(|| "+Inf".to_owned(), f64::to_string);
            page.sample(
                "gateway_endpoint_ttft_ratio_bucket",
                &[("endpoint", endpoint), ("le", &end)],
                total,
            );
        }
        let labels = [("endpoint", endpoint)];
        page.sample(
            "gateway_endpoint_ttft_ratio_sum",
            &labels,
            one.accuracy.ratios,
        );
        page.sample(
            "gateway_endpoint_ttft_ratio_count",
            &labels,
            one.accuracy.count,
        );
    }
}

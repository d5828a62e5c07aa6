//! The fleet as it is when somebody asks.

use std::sync::Arc;

use gateway_core::{
    Endpoint, Fleet, Timestamp,
    health::{Availability, Caution},
    load::{Load, Rates, Telemetry},
};

use super::text::Page;

struct Seen<'a> {
    endpoint: &'a Arc<Endpoint>,
    availability: Availability,
    caution: Caution,
    load: Load,
    reading: Option<(Timestamp, Telemetry)>,
    rates: Option<Rates>,
}

type Value = fn(&Seen<'_>, Timestamp) -> Option<f64>;

/// Gauges of one endpoint; what an engine does not say is left out.
const GAUGES: [(&str, &str, Value); 17] = [
    (
        "gateway_endpoint_up",
        "Whether the endpoint may be given requests.",
        |seen, _| Some(f64::from(u8::from(seen.availability.is_up()))),
    ),
    (
        "gateway_endpoint_silent",
        "Whether it has work in flight and gave no token for several times as long as predicted.",
        |seen, _| Some(f64::from(u8::from(seen.caution.is_silent))),
    ),
    (
        "gateway_endpoint_stalled",
        "Whether it says that it runs requests while its own counters stand still.",
        |seen, _| Some(f64::from(u8::from(seen.caution.is_stalled))),
    ),
    (
        "gateway_endpoint_share",
        "Share of the requests it would else get that it may get now, below 1 after a start.",
        |seen, _| Some(seen.caution.share.into()),
    ),
    (
        "gateway_endpoint_in_flight",
        "Requests of this gateway at the endpoint.",
        |seen, _| Some(seen.endpoint.state().in_flight().requests.into()),
    ),
    (
        "gateway_endpoint_queue",
        "Requests of this gateway that wait for their first token.",
        |seen, _| Some(seen.endpoint.state().in_flight().prefilling.into()),
    ),
    (
        "gateway_endpoint_queued_tokens",
        "Prompt tokens of this gateway's requests still to be computed.",
        |seen, _| Some(float(seen.load.queued_tokens)),
    ),
    (
        "gateway_endpoint_load_requests",
        "Requests at the endpoint as decisions see it, others' included.",
        |seen, _| Some(seen.load.requests.into()),
    ),
    (
        "gateway_endpoint_running",
        "Requests the engine says it runs.",
        |seen, _| seen.reading?.1.running.map(f64::from),
    ),
    (
        "gateway_endpoint_waiting",
        "Requests the engine says it queues.",
        |seen, _| seen.reading?.1.waiting.map(f64::from),
    ),
    (
        "gateway_endpoint_kv_used",
        "Share of its KV cache the engine says it uses, 0 to 1.",
        |seen, _| seen.reading?.1.kv_used.map(f64::from),
    ),
    (
        "gateway_endpoint_telemetry_age_seconds",
        "Age of what the engine last said.",
        |seen, now| Some(now.since(seen.reading?.0).as_secs_f64()),
    ),
    (
        "gateway_endpoint_prefix_queries_tokens",
        "Prompt tokens the engine looked up in its cache.",
        |seen, _| seen.reading?.1.prefix_queries_tokens.map(float),
    ),
    (
        "gateway_endpoint_prefix_hits_tokens",
        "Prompt tokens the engine found in its cache.",
        |seen, _| seen.reading?.1.prefix_hits_tokens.map(float),
    ),
    (
        "gateway_endpoint_prefix_hit_share",
        "Share of looked-up prompt tokens the engine found in its cache between its last two readings, 0 to 1.",
        |seen, _| seen.rates?.prefix_hit_share,
    ),
    (
        "gateway_endpoint_prompt_tokens_per_second",
        "Prompt tokens per second the engine processed between its last two readings.",
        |seen, _| seen.rates?.prompt_tokens_per_second,
    ),
    (
        "gateway_endpoint_generation_tokens_per_second",
        "Tokens per second the engine generated between its last two readings.",
        |seen, _| seen.rates?.generation_tokens_per_second,
    ),
];

const STATES: [(Availability, &str); 4] = [
    (Availability::Up, "up"),
    (Availability::Down, "down"),
    (Availability::Open, "open"),
    (Availability::Draining, "draining"),
];

pub(super) fn write(page: &mut Page, fleet: &Fleet, now: Timestamp) {
    let seen: Vec<Seen<'_>> = fleet
        .endpoints()
        .iter()
        .map(|endpoint| Seen {
            endpoint,
            availability: endpoint.state().availability(now),
            caution: endpoint.state().caution(now),
            load: endpoint.state().load(&fleet.config().telemetry, now),
            reading: endpoint.state().last_reading(),
            rates: endpoint.state().rates(),
        })
        .collect();
    for (name, help, value) in GAUGES {
        page.family(name, "gauge", help);
        for one in &seen {
            if let Some(value) = value(one, now) {
                page.sample(name, &[("endpoint", one.endpoint.name())], value);
            }
        }
    }
    let name = "gateway_endpoint_state";
    page.family(name, "gauge", "1 for the state the endpoint is in.");
    for one in &seen {
        for (state, word) in STATES {
            let is = u8::from(one.availability == state);
            page.sample(
                name,
                &[("endpoint", one.endpoint.name()), ("state", word)],
                is,
            );
        }
    }
    let name = "gateway_panic_decisions_total";
    let help =
        "Decisions that asked no breaker because nearly every endpoint of the model was out.";
    page.family(name, "counter", help);
    page.sample(name, &[], fleet.panics());
    prefix(page, fleet);
}

fn prefix(page: &mut Page, fleet: &Fleet) {
    let stats = fleet.residency().index().stats();
    let gauges = [
        (
            "gateway_prefix_index_blocks",
            "Distinct blocks known.",
            stats.blocks,
        ),
        (
            "gateway_prefix_index_holders",
            "Pairs of a block and an endpoint that holds it.",
            stats.holders,
        ),
        (
            "gateway_prefix_index_bytes",
            "Memory of the index.",
            stats.bytes,
        ),
    ];
    for (name, help, value) in gauges {
        page.family(name, "gauge", help);
        page.sample(name, &[], value);
    }
    let counters = [
        (
            "gateway_prefix_index_evicted_total",
            "Blocks that made room.",
            stats.evicted_blocks,
        ),
        (
            "gateway_prefix_index_rejected_total",
            "Blocks that found no room.",
            stats.rejected_blocks,
        ),
    ];
    for (name, help, value) in counters {
        page.family(name, "counter", help);
        page.sample(name, &[], value);
    }
}

/// Counts as Prometheus takes them: doubles.
#[expect(
    clippy::cast_precision_loss,
    reason = "the format's numbers are doubles"
)]
fn float(count: u64) -> f64 {
    count as f64
}

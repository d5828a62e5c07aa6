//! What the edge did for models that are served by tokens.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use gateway_proto::text::{model::TextModel, tokenize::CacheStats};
use gateway_router::edge::EdgeReport;

use super::{
    histogram::{Histogram, LONG_MICROS},
    model::ModelCounts,
    sink::Tables,
    text::Page,
};
use crate::config::ServedModel;

/// Upper ends of the buckets for rendering and encoding, in microseconds: from a warm conversation to a book.
const PREPARING_MICROS: [u64; 12] = [
    25,
    50,
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    100_000,
    LONG_MICROS[7],
];

/// Counters of one model.
#[derive(Debug)]
pub(super) struct EdgeCounts {
    answers: AtomicU64,
    preparing: Histogram,
    prompt_tokens: AtomicU64,
    kept_tokens: AtomicU64,
    budget_continuations: AtomicU64,
    constraint_continuations: AtomicU64,
    stops: AtomicU64,
    violations: AtomicU64,
}

impl EdgeCounts {
    pub(super) fn new() -> Self {
        Self {
            answers: AtomicU64::new(0),
            preparing: Histogram::new(&PREPARING_MICROS),
            prompt_tokens: AtomicU64::new(0),
            kept_tokens: AtomicU64::new(0),
            budget_continuations: AtomicU64::new(0),
            constraint_continuations: AtomicU64::new(0),
            stops: AtomicU64::new(0),
            violations: AtomicU64::new(0),
        }
    }

    pub(super) fn report(&self, report: &EdgeReport) {
        let add = |counter: &AtomicU64, more: u64| {
            counter.fetch_add(more, Relaxed);
        };
        add(&self.violations, report.violations.into());
        if report.parser.is_none() {
            return;
        }
        add(&self.answers, 1);
        self.preparing.observe(report.preparing);
        add(&self.prompt_tokens, report.prompt_tokens);
        add(&self.kept_tokens, report.kept_tokens);
        add(
            &self.budget_continuations,
            report.budget_continuations.into(),
        );
        add(
            &self.constraint_continuations,
            report.constraint_continuations.into(),
        );
        add(&self.stops, report.stops.into());
    }
}

/// The models that are served by tokens, with their counters.
type Rows<'a> = Vec<(&'a str, &'a TextModel, &'a EdgeCounts)>;

/// Writes the families; a model that is not served by tokens has a part in that of broken promises alone.
pub(super) fn write(page: &mut Page, tables: &Tables, models: &BTreeMap<String, ServedModel>) {
    write_violations(page, tables, models);
    let rows: Rows<'_> = models
        .iter()
        .filter_map(|(name, served)| {
            let counts: &ModelCounts = tables.models.get(name.as_str())?;
            Some((name.as_str(), &**served.tokens.as_ref()?, &counts.edge))
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    write_answers(page, &rows);
    write_preparing(page, &rows);
    write_counters(page, &rows);
    write_continuations(page, &rows);
    write_caches(page, &rows);
}

fn write_answers(page: &mut Page, rows: &Rows<'_>) {
    let name = "gateway_edge_answers_total";
    page.family(
        name,
        "counter",
        "Answers by tokens, by what reads the model's tool calls.",
    );
    for (model, text, counts) in rows {
        let parser = text.parser().family.name();
        let labels = [("model", *model), ("parser", parser)];
        page.sample(name, &labels, counts.answers.load(Relaxed));
    }
}

fn write_preparing(page: &mut Page, rows: &Rows<'_>) {
    let name = "gateway_edge_prepare_seconds";
    page.family(name, "histogram", "Rendering and encoding a request.");
    for (model, _, counts) in rows {
        counts.preparing.write(page, name, &[("model", model)]);
    }
}

fn write_violations(page: &mut Page, tables: &Tables, models: &BTreeMap<String, ServedModel>) {
    let name = "gateway_edge_violations_total";
    page.family(
        name,
        "counter",
        "Choices that broke the form that was promised.",
    );
    for model in models.keys() {
        if let Some(counts) = tables.models.get(model.as_str()) {
            let broken = counts.edge.violations.load(Relaxed);
            page.sample(name, &[("model", model)], broken);
        }
    }
}

fn write_counters(page: &mut Page, rows: &Rows<'_>) {
    type Pick = fn(&EdgeCounts) -> &AtomicU64;
    let families: [(&str, &str, Pick); 3] = [
        (
            "gateway_edge_prompt_tokens_total",
            "Tokens of the prompts sent to engines.",
            |one| &one.prompt_tokens,
        ),
        (
            "gateway_edge_kept_tokens_total",
            "Of those, tokens that an earlier turn had encoded.",
            |one| &one.kept_tokens,
        ),
        (
            "gateway_edge_stops_total",
            "Choices ended here and not by the engine.",
            |one| &one.stops,
        ),
    ];
    for (name, help, pick) in families {
        page.family(name, "counter", help);
        for (model, _, counts) in rows {
            page.sample(name, &[("model", model)], pick(counts).load(Relaxed));
        }
    }
}

fn write_continuations(page: &mut Page, rows: &Rows<'_>) {
    let name = "gateway_edge_continuations_total";
    page.family(
        name,
        "counter",
        "Calls that went on with an answer, by what ended its reasoning.",
    );
    for (model, _, counts) in rows {
        for (reason, count) in [
            ("budget", &counts.budget_continuations),
            ("constraint", &counts.constraint_continuations),
        ] {
            let labels = [("model", *model), ("reason", reason)];
            page.sample(name, &labels, count.load(Relaxed));
        }
    }
}

fn write_caches(page: &mut Page, rows: &Rows<'_>) {
    type Pick = fn(&CacheStats) -> u64;
    let families: [(&str, &str, &str, Pick); 6] = [
        (
            "gateway_turn_cache_hits_total",
            "counter",
            "Segments of conversations that were encoded already.",
            |one| one.hits,
        ),
        (
            "gateway_turn_cache_misses_total",
            "counter",
            "Segments of conversations that had to be encoded.",
            |one| one.misses,
        ),
        (
            "gateway_turn_cache_evictions_total",
            "counter",
            "Segments dropped for others.",
            |one| one.evictions,
        ),
        (
            "gateway_turn_cache_rejected_total",
            "counter",
            "Segments too large to keep.",
            |one| one.rejected,
        ),
        (
            "gateway_turn_cache_entries",
            "gauge",
            "Segments held.",
            |one| one.entries as u64,
        ),
        (
            "gateway_turn_cache_bytes",
            "gauge",
            "What they take.",
            |one| one.bytes as u64,
        ),
    ];
    for (name, kind, help, pick) in families {
        page.family(name, kind, help);
        for (model, text, _) in rows {
            page.sample(name, &[("model", model)], pick(&text.turn_cache()));
        }
    }
}

//! Answers that engines failed in the middle, and what came of them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use gateway_router::{Ending, ErrorKind, RouteReport, Stuck};

use super::{page::sorted, sink::Tables, text::Page};

/// What can go wrong in the middle of an answer; any other counts as the first.
const CAUSES: [&str; 7] = [
    "other",
    "closed",
    "broken",
    "timeout",
    "engine_failed",
    "busy",
    "recomputed",
];

/// Results of calls that were to take an answer up.
const TRIED: [&str; 3] = ["continued", "failed", "cancelled"];

/// Counters of one model.
#[derive(Debug, Default)]
pub(super) struct MigrationCounts {
    tried: [[AtomicU64; CAUSES.len()]; TRIED.len()],
    stuck: [[AtomicU64; CAUSES.len()]; Stuck::ALL.len()],
    recomputed_tokens: AtomicU64,
}

impl MigrationCounts {
    pub(super) fn report(&self, report: &RouteReport) {
        if let (Some(why), Ending::Failed(kind)) = (report.stuck, report.ending) {
            let row = Stuck::ALL.iter().position(|known| *known == why);
            self.stuck[row.unwrap_or_default()][column(kind)].fetch_add(1, Relaxed);
        }
        let Some(taken) = report.leg.resumes else {
            return;
        };
        // The status is told when the first tokens are there.
        let row = match (report.status, report.ending) {
            (Some(200), _) => 0,
            (_, Ending::Cancelled) => 2,
            _ => 1,
        };
        self.tried[row][column(taken.cause)].fetch_add(1, Relaxed);
        if row == 0 {
            self.recomputed_tokens
                .fetch_add(taken.recomputed_tokens, Relaxed);
        }
    }
}

fn column(kind: ErrorKind) -> usize {
    let name = kind.name();
    let known = CAUSES.iter().position(|cause| *cause == name);
    known.unwrap_or_default()
}

/// Writes the families. Of the many causes and results only those that have been met are shown.
pub(super) fn write(page: &mut Page, tables: &Tables) {
    let name = "gateway_migrations_total";
    page.family(
        name,
        "counter",
        "Answers that an engine failed in the middle, by what went wrong and what came of them.",
    );
    for (model, counts) in sorted(tables) {
        let counts = &counts.migrations;
        let tried = TRIED.into_iter().zip(&counts.tried);
        let stuck = Stuck::ALL.into_iter().map(Stuck::name).zip(&counts.stuck);
        for (result, row) in tried.chain(stuck) {
            for (cause, count) in CAUSES.into_iter().zip(row) {
                let labels = [("model", model), ("cause", cause), ("result", result)];
                let count = count.load(Relaxed);
                if count > 0 {
                    page.sample(name, &labels, count);
                }
            }
        }
    }
    let name = "gateway_recomputed_tokens_total";
    page.family(
        name,
        "counter",
        "Tokens of prompts and answers that another engine had to compute again.",
    );
    for (model, counts) in sorted(tables) {
        let count = counts.migrations.recomputed_tokens.load(Relaxed);
        page.sample(name, &[("model", model)], count);
    }
}

//! Second engines beside silent ones, and what came of them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use gateway_router::{HedgeOutcome, HedgeReport};

use super::{page::sorted, sink::Tables, text::Page};

/// Counters of one model.
#[derive(Debug, Default)]
pub(super) struct HedgeCounts([AtomicU64; HedgeOutcome::ALL.len()]);

impl HedgeCounts {
    pub(super) fn report(&self, report: &HedgeReport) {
        let at = HedgeOutcome::ALL
            .iter()
            .position(|known| *known == report.outcome);
        self.0[at.unwrap_or_default()].fetch_add(1, Relaxed);
    }
}

/// Writes the family. Only results that have been met are shown.
pub(super) fn write(page: &mut Page, tables: &Tables) {
    let name = "gateway_hedges_total";
    let help = "Requests whose engine was silent for long enough to ask another one, by who served them or why none was asked.";
    page.family(name, "counter", help);
    for (model, counts) in sorted(tables) {
        let HedgeCounts(counts) = &counts.hedges;
        for (outcome, count) in HedgeOutcome::ALL.into_iter().zip(counts) {
            let count = count.load(Relaxed);
            if count > 0 {
                let labels = [("model", model), ("result", outcome.name())];
                page.sample(name, &labels, count);
            }
        }
    }
}

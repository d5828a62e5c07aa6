//! Requests that could be split between two engines, and legs that nobody wanted any more.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use gateway_router::{
    Cleanup, CleanupReport, PairFault, PairOutcome, PairReport, proto::engines::transfer::Connector,
};

use super::{
    histogram::{Histogram, LONG_MICROS},
    page::sorted,
    sink::Tables,
    text::Page,
};

/// Results without a fault.
const WELL: [PairOutcome; 3] = [
    PairOutcome::Underway,
    PairOutcome::Split,
    PairOutcome::Finished,
];

/// Counters of one model.
#[derive(Debug)]
pub(super) struct PairCounts {
    /// By connector, none last.
    well: [[AtomicU64; WELL.len()]; Connector::ALL.len() + 1],
    alone: [[AtomicU64; PairFault::ALL.len()]; Connector::ALL.len() + 1],
    prefill: Histogram,
    decode: Histogram,
}

impl Default for PairCounts {
    fn default() -> Self {
        Self {
            well: Default::default(),
            alone: Default::default(),
            prefill: Histogram::new(&LONG_MICROS),
            decode: Histogram::new(&LONG_MICROS),
        }
    }
}

impl PairCounts {
    pub(super) fn report(&self, report: &PairReport) {
        let connector = report.legs.as_ref().map(|(.., connector)| *connector);
        let mut known = Connector::ALL.iter();
        let row = connector.and_then(|it| known.position(|known| *known == it));
        let row = row.unwrap_or(Connector::ALL.len());
        let count = match report.outcome {
            PairOutcome::SinglePhase(fault) => {
                let column = PairFault::ALL.iter().position(|known| *known == fault);
                &self.alone[row][column.unwrap_or_default()]
            }
            outcome => {
                let column = WELL.iter().position(|known| *known == outcome);
                &self.well[row][column.unwrap_or_default()]
            }
        };
        count.fetch_add(1, Relaxed);
        let legs = [
            (&self.prefill, report.prefill_took),
            (&self.decode, report.decode_took),
        ];
        for (histogram, took) in legs {
            if let Some(took) = took {
                histogram.observe(took);
            }
        }
    }
}

/// Counters of the whole gateway.
#[derive(Debug, Default)]
pub(super) struct CleanupCounts([AtomicU64; Cleanup::ALL.len()]);

impl CleanupCounts {
    pub(super) fn report(&self, report: &CleanupReport) {
        let at = Cleanup::ALL.iter().position(|it| *it == report.cleanup);
        self.0[at.unwrap_or_default()].fetch_add(1, Relaxed);
    }
}

/// Writes the families. Of the many results only those that have been met are shown.
pub(super) fn write(page: &mut Page, tables: &Tables, cleanups: &CleanupCounts) {
    let name = "gateway_pairs_total";
    let help = "Requests that could be split between two engines, by how they were served and why.";
    page.family(name, "counter", help);
    let connectors = || {
        Connector::ALL
            .map(Connector::name)
            .into_iter()
            .chain(["none"])
    };
    let reasons = PairFault::ALL.map(PairFault::name);
    for (model, counts) in sorted(tables) {
        for (at, connector) in connectors().enumerate() {
            let well = ["underway", "split", "finished"].map(|result| (result, "none"));
            let alone = reasons.map(|reason| ("single_phase", reason));
            let counts = &counts.pairs;
            let all = well.into_iter().zip(&counts.well[at]);
            for ((result, reason), count) in all.chain(alone.into_iter().zip(&counts.alone[at])) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let labels = [
                        ("model", model),
                        ("connector", connector),
                        ("result", result),
                        ("reason", reason),
                    ];
                    page.sample(name, &labels, count);
                }
            }
        }
    }
    let name = "gateway_pair_leg_seconds";
    let help =
        "From sending a leg of a pair to the end of prefill, or to the first byte of decode.";
    page.family(name, "histogram", help);
    for (model, counts) in sorted(tables) {
        let legs = [
            ("prefill", &counts.pairs.prefill),
            ("decode", &counts.pairs.decode),
        ];
        for (leg, histogram) in legs.into_iter().filter(|(_, it)| !it.is_empty()) {
            histogram.write(page, name, &[("model", model), ("leg", leg)]);
        }
    }
    let name = "gateway_pair_cleanups_total";
    let help = "Legs of pairs that nobody wanted any more, by how they were dealt with.";
    page.family(name, "counter", help);
    for (kind, count) in Cleanup::ALL.into_iter().zip(&cleanups.0) {
        page.sample(name, &[("kind", kind.name())], count.load(Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::metrics::{model::ModelCounts, sink::OTHER};

    #[test]
    fn what_was_met_is_told_by_model_connector_result_and_reason() {
        let counts = ModelCounts::new();
        let mut report = PairReport {
            outcome: PairOutcome::Split,
            legs: Some(("p".into(), "d".into(), Connector::Sglang)),
            prefill_took: Some(Duration::from_millis(20)),
            ..PairReport::default()
        };
        counts.pairs.report(&report);
        counts.pairs.report(&report);
        report.outcome = PairOutcome::SinglePhase(PairFault::TransferTimeout);
        counts.pairs.report(&report);
        report.legs = None;
        report.outcome = PairOutcome::SinglePhase(PairFault::NoPair);
        counts.pairs.report(&report);
        let cleanups = CleanupCounts::default();
        cleanups.report(&CleanupReport {
            request_id: "r".into(),
            endpoint: "p".into(),
            cleanup: Cleanup::LeftToLease,
        });
        let tables = Tables {
            models: [(OTHER.into(), Arc::new(counts))].into(),
            endpoints: Default::default(),
        };
        let mut page = Page::default();
        write(&mut page, &tables, &cleanups);
        let page = page.finish();
        for line in [
            r#"gateway_pairs_total{model="other",connector="sglang",result="split",reason="none"} 2"#,
            r#"gateway_pairs_total{model="other",connector="sglang",result="single_phase",reason="transfer_timeout"} 1"#,
            r#"gateway_pairs_total{model="other",connector="none",result="single_phase",reason="no_pair"} 1"#,
            r#"gateway_pair_leg_seconds_count{model="other",leg="prefill"} 4"#,
            r#"gateway_pair_cleanups_total{kind="left_to_lease"} 1"#,
            r#"gateway_pair_cleanups_total{kind="decode_awaited"} 0"#,
        ] {
            assert!(page.contains(line), "{line} in {page}");
        }
        assert!(!page.contains(r#"leg="decode""#), "no decode leg has begun");
    }
}

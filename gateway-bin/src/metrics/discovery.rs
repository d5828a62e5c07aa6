//! Where endpoints come from.

use std::collections::BTreeMap;

use super::text::Page;
use crate::discovery::{SourceStatus, Status};

/// The page's part on endpoints and their sources.
pub(crate) fn discovery_page(status: &Status) -> String {
    let mut page = Page::default();
    endpoints(&mut page, status);
    if !status.sources.is_empty() {
        sources(&mut page, &status.sources);
    }
    page.finish()
}

fn endpoints(page: &mut Page, status: &Status) {
    let name = "gateway_endpoints";
    page.family(
        name,
        "gauge",
        "Endpoints, by who lists them and what becomes of them.",
    );
    let mut counts = BTreeMap::<(&str, &str), u64>::new();
    for endpoint in &status.endpoints {
        *counts
            .entry((&endpoint.source, endpoint.state))
            .or_default() += 1;
    }
    for ((source, state), count) in counts {
        page.sample(name, &[("source", source), ("state", state)], count);
    }
    let name = "gateway_endpoints_left_out";
    let help =
        "Endpoints left out, as their name or address was listed before or there were too many.";
    page.family(name, "gauge", help);
    page.sample(name, &[], status.left_out);
}

fn sources(page: &mut Page, sources: &[SourceStatus]) {
    type Pick = fn(&SourceStatus) -> Option<f64>;
    let families: [(&str, &str, &str, Pick); 5] = [
        (
            "gateway_discovery_up",
            "gauge",
            "Whether the source could be asked last time.",
            |source| Some(f64::from(u8::from(source.up))),
        ),
        (
            "gateway_discovery_failures_total",
            "counter",
            "Times that the source could not be asked; its last list stays.",
            |source| Some(source.failures as f64),
        ),
        (
            "gateway_discovery_changes_total",
            "counter",
            "Times that the source's list has changed.",
            |source| Some(source.changes as f64),
        ),
        (
            "gateway_discovery_left_out",
            "gauge",
            "Places that the source sees beyond those that one source may list.",
            |source| Some(source.left_out as f64),
        ),
        (
            "gateway_discovery_changed_timestamp_seconds",
            "gauge",
            "When the source's list changed last.",
            |source| source.changed_unix,
        ),
    ];
    for (name, kind, help, pick) in families {
        page.family(name, kind, help);
        for source in sources {
            if let Some(value) = pick(source) {
                let labels = [("source", &*source.name), ("kind", source.kind)];
                page.sample(name, &labels, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_source_sees_beyond_its_bound_is_told() {
        let source = SourceStatus {
            name: "pool".to_owned(),
            kind: "dns",
            up: true,
            endpoints: 4_096,
            left_out: 7,
            failures: 0,
            changes: 1,
            changed_unix: None,
        };
        let status = Status {
            sources: vec![source],
            ..Status::default()
        };
        let page = discovery_page(&status);
        let line = "gateway_discovery_left_out{source=\"pool\",kind=\"dns\"} 7";
        assert!(page.lines().any(|found| found == line), "{page}");
    }
}

//! Who waits for an endpoint with room.

use std::collections::BTreeMap;

use gateway_router::{ClassCounts, ClassStatus};

use super::text::Page;

type Pick = fn(&ClassCounts) -> u64;

const OUTCOMES: [(&str, Pick); 5] = [
    ("served", |counts| counts.served),
    ("refused", |counts| counts.refused),
    ("shed", |counts| counts.shed),
    ("timeout", |counts| counts.overdue),
    ("left", |counts| counts.left),
];

/// What of a class stands in line now.
type Waiting = fn(&ClassStatus) -> u64;

/// The page's part on those who wait, by class.
pub(crate) fn admission_page(classes: &BTreeMap<String, ClassStatus>) -> String {
    let mut page = Page::default();
    let gauges: [(&str, &str, Waiting); 2] = [
        (
            "gateway_queue_requests",
            "Requests that wait for an endpoint with room.",
            |class| class.waiting,
        ),
        (
            "gateway_queue_tokens",
            "Their tokens, prompts and expected output.",
            |class| class.waiting_tokens,
        ),
    ];
    for (name, help, value) in gauges {
        page.family(name, "gauge", help);
        for (class, status) in classes {
            page.sample(name, &[("class", class)], value(status));
        }
    }
    let name = "gateway_queue_total";
    let help = "Requests that waited, or were refused a place, by how that ended.";
    page.family(name, "counter", help);
    for (class, status) in classes {
        for (outcome, count) in OUTCOMES {
            let labels = [("class", &**class), ("outcome", outcome)];
            page.sample(name, &labels, count(&status.counts));
        }
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_and_outcome_is_shown_and_documented() {
        let counts = ClassCounts {
            served: 1,
            refused: 2,
            shed: 3,
            overdue: 4,
            left: 5,
        };
        let status = ClassStatus {
            waiting: 6,
            waiting_tokens: 7,
            counts,
        };
        let page = admission_page(&BTreeMap::from([("low".to_owned(), status)]));
        for line in [
            r#"gateway_queue_requests{class="low"} 6"#,
            r#"gateway_queue_tokens{class="low"} 7"#,
            r#"gateway_queue_total{class="low",outcome="shed"} 3"#,
            r#"gateway_queue_total{class="low",outcome="timeout"} 4"#,
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        let docs = include_str!("../../../docs/metrics.md");
        let families = page
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        for family in families {
            assert!(docs.contains(&format!("`{family}`")), "{family}");
        }
    }
}

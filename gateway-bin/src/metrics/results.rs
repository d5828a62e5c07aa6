//! Answers that decode engines give to all requests together.

use gateway_router::{DroppedPart, ResultsStatus};

use super::text::Page;

/// What of an endpoint's answers is shown.
type Pick = fn(&ResultsStatus) -> u64;

/// The page's part on them, by endpoint. Nothing where no endpoint gives any.
pub(crate) fn results_page(results: &[(String, ResultsStatus)]) -> String {
    let mut page = Page::default();
    if results.is_empty() {
        return page.finish();
    }
    let families: [(&str, &str, &str, Pick); 3] = [
        (
            "gateway_dresult_up",
            "gauge",
            "1 while the decode engine's answers to all requests are open.",
            |status| u64::from(status.is_up),
        ),
        (
            "gateway_dresult_requests",
            "gauge",
            "Requests that wait for their parts of them.",
            |status| status.waiting as u64,
        ),
        (
            "gateway_dresult_opened_total",
            "counter",
            "Times that they were opened.",
            |status| status.opened,
        ),
    ];
    for (name, form, help, pick) in families {
        page.family(name, form, help);
        for (endpoint, status) in results {
            page.sample(name, &[("endpoint", endpoint)], pick(status));
        }
    }
    let name = "gateway_dresult_dropped_total";
    page.family(name, "counter", "Parts of them that reached nobody.");
    for (endpoint, status) in results {
        for reason in DroppedPart::ALL {
            let labels = [("endpoint", endpoint.as_str()), ("reason", reason.name())];
            page.sample(name, &labels, status.dropped(reason));
        }
    }
    page.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_and_reason_is_shown_and_documented() {
        assert_eq!(results_page(&[]), "");
        let mut status = ResultsStatus::default();
        (status.is_up, status.opened, status.waiting) = (true, 3, 2);
        let page = results_page(&[("d".to_owned(), status)]);
        for line in [
            "gateway_dresult_up{endpoint=\"d\"} 1",
            "gateway_dresult_requests{endpoint=\"d\"} 2",
            "gateway_dresult_opened_total{endpoint=\"d\"} 3",
        ] {
            assert!(page.contains(line), "{page}");
        }
        let guide = include_str!("../../../docs/metrics.md");
        for reason in DroppedPart::ALL {
            let sample = format!(
                "gateway_dresult_dropped_total{{endpoint=\"d\",reason=\"{}\"}} 0",
                reason.name()
            );
            assert!(page.contains(&sample), "{page}");
            assert!(guide.contains(&format!("`{}`", reason.name())));
        }
        let families = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        for family in families {
            let name = family.split(' ').next().unwrap_or_default();
            assert!(guide.contains(&format!("`{name}`")), "{name}");
        }
    }
}

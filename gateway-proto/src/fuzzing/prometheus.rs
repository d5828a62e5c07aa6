//! Metrics pages.

use crate::prometheus::Scrape;

/// Any page gives a reading that makes sense, and the same one when its dialect is named.
pub fn prometheus(data: &[u8]) {
    let scrape = Scrape::parse(data, None);
    let lines = data.iter().filter(|b| **b == b'\n').count() + 1;
    assert!(scrape.used as usize + scrape.dropped as usize <= lines);
    assert!(
        scrape
            .telemetry
            .kv_used
            .is_none_or(|share| (0.0..=1.0).contains(&share))
    );
    assert!(
        scrape
            .telemetry
            .block_tokens
            .is_none_or(|tokens| tokens > 0)
    );
    if scrape.dialect.is_some() {
        assert_eq!(Scrape::parse(data, scrape.dialect), scrape);
    } else {
        assert_eq!(scrape, Scrape::default());
    }
}

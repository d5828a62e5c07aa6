//! KV events by endpoint.

use gateway_core::kvfeed::{FeedTrust, Weakness};
use gateway_router::feed::FeedStatus;

use super::text::Page;

/// How an endpoint's feed is trusted, and why no further.
const TRUSTS: [(FeedTrust, &str, &str); 7] = [
    (FeedTrust::Exact, "exact", ""),
    (FeedTrust::Degraded(Weakness::Late), "degraded", "late"),
    (
        FeedTrust::Degraded(Weakness::Replaying),
        "degraded",
        "replaying",
    ),
    (FeedTrust::Degraded(Weakness::Full), "degraded", "full"),
    (
        FeedTrust::Degraded(Weakness::Orphans),
        "degraded",
        "orphans",
    ),
    (
        FeedTrust::Degraded(Weakness::Resynced),
        "degraded",
        "resynced",
    ),
    (FeedTrust::Fallback, "fallback", ""),
];

type Count = fn(&FeedStatus) -> u64;

const COUNTERS: [(&str, &str, Count); 13] = [
    (
        "gateway_kv_feed_batches_total",
        "Messages with KV events taken in.",
        |feed| feed.stats.batches,
    ),
    (
        "gateway_kv_feed_events_total",
        "KV events in them.",
        |feed| feed.stats.events,
    ),
    (
        "gateway_kv_feed_stored_blocks_total",
        "Engine blocks that entered a tier.",
        |feed| feed.stats.stored,
    ),
    (
        "gateway_kv_feed_removed_blocks_total",
        "Engine blocks that left a tier.",
        |feed| feed.stats.removed,
    ),
    (
        "gateway_kv_feed_gaps_total",
        "Gaps in the sequence of messages.",
        |feed| feed.stats.gaps,
    ),
    (
        "gateway_kv_feed_replays_total",
        "Questions for missed messages.",
        |feed| feed.stats.replays,
    ),
    (
        "gateway_kv_feed_resyncs_total",
        "Times that what was known was dropped because messages were lost for good.",
        |feed| feed.stats.resyncs,
    ),
    (
        "gateway_kv_feed_restarts_total",
        "Times that what was known was dropped because the publisher began anew.",
        |feed| feed.stats.restarts,
    ),
    (
        "gateway_kv_feed_decode_errors_total",
        "Messages that could not be read.",
        |feed| feed.stats.decode_errors + feed.broken,
    ),
    (
        "gateway_kv_feed_other_ranks_total",
        "Messages left out because they are of another data-parallel rank.",
        |feed| feed.of_others,
    ),
    (
        "gateway_kv_feed_orphans_total",
        "Blocks left out because the block before them is not known.",
        |feed| feed.stats.orphans,
    ),
    (
        "gateway_kv_feed_refused_blocks_total",
        "Blocks left out because the feed holds as many as it may.",
        |feed| feed.stats.refused,
    ),
    (
        "gateway_kv_feed_connects_total",
        "Connections made to publishers.",
        |feed| feed.connects,
    ),
];

/// Writes what is known of the feeds, by endpoint. An endpoint without a publisher has its trust alone.
pub(super) fn write(page: &mut Page, feeds: &[(String, FeedStatus)]) {
    let name = "gateway_endpoint_kv_trust";
    let help = "1 for how far the endpoint's KV events are trusted, and why no further.";
    page.family(name, "gauge", help);
    for (endpoint, feed) in feeds {
        for (trust, word, reason) in TRUSTS {
            let labels = [
                ("endpoint", endpoint.as_str()),
                ("trust", word),
                ("reason", reason),
            ];
            page.sample(name, &labels, u8::from(feed.trust == trust));
        }
    }
    gauges(page, feeds);
    for (name, help, count) in COUNTERS {
        page.family(name, "counter", help);
        for (endpoint, feed) in with_sources(feeds) {
            page.sample(name, &[("endpoint", endpoint)], count(feed));
        }
    }
}

fn gauges(page: &mut Page, feeds: &[(String, FeedStatus)]) {
    let name = "gateway_kv_feed_lag_seconds";
    page.family(name, "gauge", "How far KV events are behind their engine.");
    for (endpoint, feed) in feeds {
        if let Some(lag) = feed.stats.lag_secs {
            page.sample(name, &[("endpoint", endpoint)], lag);
        }
    }
    let name = "gateway_kv_feed_blocks";
    page.family(name, "gauge", "Engine blocks known now, in any tier.");
    for (endpoint, feed) in with_sources(feeds) {
        page.sample(name, &[("endpoint", endpoint)], feed.stats.blocks);
    }
    let name = "gateway_kv_feed_sources";
    let help = "Publishers of KV events, by whether they are connected or listened for.";
    page.family(name, "gauge", help);
    for (endpoint, feed) in with_sources(feeds) {
        let lost = feed.sources.saturating_sub(feed.connected);
        for (state, count) in [("connected", feed.connected), ("lost", lost)] {
            page.sample(name, &[("endpoint", endpoint), ("state", state)], count);
        }
    }
}

fn with_sources(feeds: &[(String, FeedStatus)]) -> impl Iterator<Item = (&str, &FeedStatus)> {
    let known = feeds.iter().filter(|(_, feed)| feed.sources > 0);
    known.map(|(endpoint, feed)| (endpoint.as_str(), feed))
}

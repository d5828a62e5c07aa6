//! What is counted of kept responses, background work and WebSocket connections.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use gateway_govern::records::Usage;

use super::{door::Open, text::Page};

/// Counters of the Responses API.
#[derive(Debug, Default)]
pub(crate) struct Responses {
    kept: AtomicU64,
    lost: AtomicU64,
    refused: AtomicU64,
    sockets: AtomicU64,
    sockets_opened: AtomicU64,
}

impl Responses {
    /// A response was kept.
    pub(crate) fn kept(&self) {
        self.kept.fetch_add(1, Relaxed);
    }

    /// A response was to be kept and was not.
    pub(crate) fn lost(&self) {
        self.lost.fetch_add(1, Relaxed);
    }

    /// A response was to be made in the background where all places were taken.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// A WebSocket connection is open until the guard is dropped.
    pub(crate) fn socket(&self) -> Open<'_> {
        self.sockets_opened.fetch_add(1, Relaxed);
        Open::enter(&self.sockets)
    }

    /// Writes them, with what the store holds and how many are being made in the background.
    pub(super) fn write(&self, page: &mut Page, store: &Usage, running: usize) {
        let counters = [
            (
                "gateway_responses_stored_total",
                "Responses kept for later.",
                self.kept.load(Relaxed),
            ),
            (
                "gateway_responses_lost_total",
                "Responses that the store did not take, or not wholly.",
                self.lost.load(Relaxed),
            ),
            (
                "gateway_records_evicted_total",
                "Kept responses and conversations that went for want of room.",
                store.evicted,
            ),
            (
                "gateway_records_expired_total",
                "Kept responses and conversations that went at their time.",
                store.expired,
            ),
            (
                "gateway_background_refused_total",
                "Responses refused because too many were made in the background.",
                self.refused.load(Relaxed),
            ),
            (
                "gateway_websockets_total",
                "WebSocket connections opened.",
                self.sockets_opened.load(Relaxed),
            ),
        ];
        let gauges = [
            (
                "gateway_records",
                "Responses and conversations kept.",
                store.records,
            ),
            ("gateway_records_bytes", "Bytes they take.", store.bytes),
            (
                "gateway_background_running",
                "Responses being made in the background.",
                running as u64,
            ),
            (
                "gateway_websockets_open",
                "WebSocket connections open.",
                self.sockets.load(Relaxed),
            ),
        ];
        for (kind, families) in [("counter", &counters[..]), ("gauge", &gauges[..])] {
            for (name, help, value) in families {
                page.family(name, kind, help);
                page.sample(name, &[], value);
            }
        }
    }
}

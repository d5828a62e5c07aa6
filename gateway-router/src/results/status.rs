//! What is known of an endpoint's answers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why a part of an answer reached nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DroppedPart {
    /// Nobody waits for that request's answer, or not any more.
    UnknownRequest,
    /// Whoever waits took too little for too long; the answer ends there.
    SlowReader,
    /// It is of a kind that is not known here.
    UnknownKind,
    /// It makes no sense.
    Malformed,
}

impl DroppedPart {
    /// All reasons.
    pub const ALL: [Self; 4] = [
        Self::UnknownRequest,
        Self::SlowReader,
        Self::UnknownKind,
        Self::Malformed,
    ];

    /// The name used in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownRequest => "unknown_request",
            Self::SlowReader => "slow_reader",
            Self::UnknownKind => "unknown_kind",
            Self::Malformed => "malformed",
        }
    }
}

/// What is known of the answer that a decode engine gives to all requests together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResultsStatus {
    /// Whether it is open.
    pub is_up: bool,
    /// Times that it was opened.
    pub opened: u64,
    /// Requests that wait for their parts of it.
    pub waiting: usize,
    dropped: [u64; 4],
}

impl ResultsStatus {
    /// Parts that reached nobody, for `reason`.
    #[must_use]
    pub fn dropped(&self, reason: DroppedPart) -> u64 {
        self.dropped[reason as usize]
    }
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) opened: AtomicU64,
    dropped: [AtomicU64; 4],
}

impl Counts {
    pub(super) fn drop_parts(&self, reason: DroppedPart, parts: u64) {
        self.dropped[reason as usize].fetch_add(parts, Relaxed);
    }

    pub(super) fn read(&self, is_up: bool, waiting: usize) -> ResultsStatus {
        ResultsStatus {
            is_up,
            waiting,
            opened: self.opened.load(Relaxed),
            dropped: self.dropped.each_ref().map(|count| count.load(Relaxed)),
        }
    }
}

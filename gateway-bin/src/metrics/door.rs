//! What is counted before a request has a model: connections and refusals.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why somebody was turned away before a route was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// Too many connections.
    Connections,
    /// No key, a wrong one or one that has ended.
    Key,
    /// A key that may not use the model.
    Model,
    /// The body was too large.
    TooLarge,
    /// The body took too long or broke off.
    Body,
    /// The body is no request.
    Invalid,
    /// No such route or method.
    Route,
    /// The head was malformed, too large or too slow.
    Head,
}

impl Rejection {
    /// All reasons.
    pub(super) const ALL: [Self; 8] = [
        Self::Connections,
        Self::Key,
        Self::Model,
        Self::TooLarge,
        Self::Body,
        Self::Invalid,
        Self::Route,
        Self::Head,
    ];

    /// The label.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Key => "key",
            Self::Model => "model",
            Self::TooLarge => "too_large",
            Self::Body => "body",
            Self::Invalid => "invalid",
            Self::Route => "route",
            Self::Head => "head",
        }
    }
}

/// Counters of the front door.
#[derive(Debug, Default)]
pub(crate) struct Door {
    pub(super) accepted: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) stalled: AtomicU64,
    pub(super) in_flight: AtomicU64,
    pub(super) rejected: [AtomicU64; Rejection::ALL.len()],
    pub(super) reloads: [AtomicU64; 2],
}

impl Door {
    /// A connection is there; it counts as open until the guard is dropped. `None` where `limit` are open already.
    pub(crate) fn connection(&self, limit: usize) -> Option<Open<'_>> {
        let open = Open::enter(&self.open);
        if open.count > limit as u64 {
            self.reject(Rejection::Connections);
            return None;
        }
        self.accepted.fetch_add(1, Relaxed);
        Some(open)
    }

    /// A request is being served until the guard is dropped.
    pub(crate) fn request(&self) -> Open<'_> {
        Open::enter(&self.in_flight)
    }

    /// Somebody was turned away.
    pub(crate) fn reject(&self, why: Rejection) {
        self.rejected[why as usize].fetch_add(1, Relaxed);
    }

    /// A connection was closed because its client took nothing.
    pub(crate) fn stalled(&self) {
        self.stalled.fetch_add(1, Relaxed);
    }

    /// A reload was tried.
    pub(crate) fn reloaded(&self, taken: bool) {
        self.reloads[usize::from(taken)].fetch_add(1, Relaxed);
    }
}

/// Counts one while it lives.
#[derive(Debug)]
pub(crate) struct Open<'a> {
    gauge: &'a AtomicU64,
    count: u64,
}

impl<'a> Open<'a> {
    pub(super) fn enter(gauge: &'a AtomicU64) -> Self {
        Self {
            gauge,
            count: gauge.fetch_add(1, Relaxed) + 1,
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.gauge.fetch_sub(1, Relaxed);
    }
}

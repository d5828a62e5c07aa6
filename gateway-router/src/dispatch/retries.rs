//! Whether a failed attempt is followed by another one.

use std::{mem, time::Duration};

use gateway_core::Timestamp;

use super::flight::Flight;
use crate::{Clock, ErrorKind, Leg, Retry, RouteError, router::Shared, snapshot::Snapshot};

/// Engines that are lost one so soon after the other are lost for one reason. It is not an answer that the first of them was
/// writing: that would have to be sent, its prompt computed, and the engine to die of it, in between.
const AT_ONCE: Duration = Duration::from_millis(250);

/// The failures of one request so far.
pub(super) struct Retries {
    clock: Clock,
    last: Option<RouteError>,
    deaths: u32,
    /// When the engine was lost that was writing the answer.
    lost_at: Option<Timestamp>,
    /// Attempts that troubled no engine.
    free: u32,
    /// Whether an attempt is due to the request after the next one, should that fail.
    owes_another: bool,
    /// Whether the next attempt was paid for from the budget.
    paid: bool,
}

impl Retries {
    /// Engines may have died on the request before this call.
    pub(super) fn behind(leg: &Leg, clock: Clock) -> Self {
        Self {
            clock,
            last: None,
            deaths: leg.resumes.map_or(0, |taken| taken.deaths),
            lost_at: leg.resumes.and_then(|taken| taken.lost_at),
            free: 0,
            owes_another: false,
            paid: false,
        }
    }

    /// An attempt failed; gives the error back where it is final.
    pub(super) fn after(
        &mut self,
        shared: &Shared,
        snapshot: &Snapshot,
        error: RouteError,
        flight: &Flight,
    ) -> Result<(), RouteError> {
        if mem::take(&mut self.owes_another) && error.retry() != Retry::Never {
            return self.excuse(error);
        }
        self.note(&error);
        let worth = match error.retry() {
            Retry::Never => false,
            Retry::OtherEndpoint => true,
            // Two engines that died on it are enough, whatever others said in between.
            Retry::OtherEndpointOnce => self.deaths < 2,
        };
        let is_free = is_free(&error);
        // However many engines cannot do it: each is asked once.
        let counted = flight.report.attempts - self.free;
        let allowed = worth && (is_free || counted < snapshot.retry.attempts);
        self.paid = allowed && !is_free && shared.budget.spend();
        if !allowed || !(is_free || self.paid) {
            return Err(error);
        }
        let request_id = &*flight.report.request_id;
        tracing::debug!(request_id, error = %error, "trying another endpoint");
        self.last = Some(error);
        Ok(())
    }

    /// An attempt failed while another one goes on.
    pub(super) fn lost(&mut self, error: RouteError) {
        self.note(&error);
        self.last = Some(error);
    }

    fn note(&mut self, error: &RouteError) {
        self.note_death(error);
        self.free += u32::from(is_free(error));
    }

    fn note_death(&mut self, error: &RouteError) {
        if error.retry() != Retry::OtherEndpointOnce {
            return;
        }
        let now = self.clock.now();
        let lost_at = self.lost_at.take().filter(|_| is_loss(error.kind()));
        self.lost_at = lost_at.filter(|at| now.since(*at) <= AT_ONCE);
        self.deaths += u32::from(self.lost_at.is_none());
    }

    /// Engines that have died on the request so far.
    pub(super) fn deaths(&self) -> u32 {
        self.deaths
    }

    /// The next attempt is to tell who has failed the pair; should it fail too, another one is due to the request.
    pub(super) fn owe_another(&mut self) {
        self.owes_another = true;
    }

    /// A pair failed. What follows is due to the request in any case, unless engines die of it.
    pub(super) fn excuse(&mut self, error: RouteError) -> Result<(), RouteError> {
        self.note_death(&error);
        if self.deaths >= 2 {
            return Err(error);
        }
        self.free += 1;
        self.paid = false;
        self.last = Some(error);
        Ok(())
    }

    /// There is nobody for the next attempt. With everybody tried, what the last one said is more use than "nobody left".
    pub(super) fn given_up(&mut self, shared: &Shared, nobody: RouteError) -> RouteError {
        if self.paid {
            shared.budget.refund();
        }
        self.last.take().unwrap_or(nobody)
    }
}

/// Whether this is what is seen of an engine whose process or machine is gone.
pub(super) fn is_loss(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Closed | ErrorKind::Broken)
}

/// No engine was troubled by what it cannot do, so asking another one makes nothing worse.
fn is_free(error: &RouteError) -> bool {
    error.kind() == ErrorKind::Unsupported
}

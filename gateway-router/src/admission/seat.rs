//! Where one request sleeps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use gateway_core::{EndpointId, Timestamp, admission::Ticket};
use tokio::{sync::Notify, time::timeout};

use super::line::{Admission, Left};
use crate::Clock;

/// How often whoever stands at the door looks for himself: some room comes by time alone.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The part of a sleeper that others see.
#[derive(Debug, Default)]
pub(super) struct Seat {
    notify: Notify,
    is_shed: AtomicBool,
}

impl Seat {
    pub(super) fn wake(&self) {
        self.notify.notify_one();
    }

    pub(super) fn shed(&self) {
        self.is_shed.store(true, Relaxed);
        self.wake();
    }
}

/// Why somebody waits no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// For a request that matters more.
    Shed,
    /// Its time was up.
    Overdue,
}

/// One who waits in a line; dropped, he leaves it.
pub(crate) struct Sleeper<'a> {
    pub(super) admission: &'a Admission,
    pub(super) model: Box<str>,
    pub(super) class: String,
    pub(super) ticket: Ticket,
    pub(super) seat: Arc<Seat>,
    pub(super) clock: Clock,
    pub(super) until: Timestamp,
    /// Whether he has been at the door.
    pub(super) has_tried: bool,
    pub(super) left: Left,
}

impl Sleeper<'_> {
    /// Sleeps until it is his turn; gives the endpoints that are promised to those ahead of him.
    pub(super) async fn turn(&mut self) -> Result<Vec<EndpointId>, GivenUp> {
        loop {
            if self.seat.is_shed.load(Relaxed) {
                self.left = Left::Shed;
                return Err(GivenUp::Shed);
            }
            if let Some(promised) = self.admission.turn_of(&self.model, self.ticket) {
                return Ok(promised);
            }
            let rest = self.until.since(self.clock.now());
            if rest.is_zero() {
                self.left = Left::Overdue;
                return Err(GivenUp::Overdue);
            }
            let nap = if self.has_tried {
                rest.min(LOOK_EVERY)
            } else {
                rest
            };
            let is_over = timeout(nap, self.seat.notify.notified()).await.is_err();
            if is_over && self.has_tried {
                self.admission.news_of(&self.model);
            }
        }
    }

    /// There was no room for him but on these endpoints, once they have some.
    pub(super) fn stands(&mut self, endpoints: Box<[EndpointId]>) {
        self.has_tried = true;
        self.admission.stands(&self.model, self.ticket, endpoints);
    }

    /// He found room.
    pub(crate) fn served(mut self) {
        self.left = Left::Served;
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let now = self.clock.now();
        self.admission
            .leave(&self.model, &self.class, self.ticket, self.left, now);
    }
}

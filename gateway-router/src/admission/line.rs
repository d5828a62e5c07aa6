//! The lines, one per model.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use gateway_core::{
    EndpointId, Timestamp,
    admission::{AdmissionPolicy, Arrival, Queue, Refused, Ticket},
};

use super::seat::{Seat, Sleeper};
use crate::Clock;

/// How requests of one class came out of the line, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// They found room.
    pub served: u64,
    /// They found no place in the line.
    pub refused: u64,
    /// They were given up for others that matter more.
    pub shed: u64,
    /// Their time was up.
    pub overdue: u64,
    /// Their caller left, or no endpoint could take them any more.
    pub left: u64,
}

/// One class over all lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassStatus {
    /// Requests that wait.
    pub waiting: u64,
    /// Their tokens, prompts and expected output.
    pub waiting_tokens: u64,
    /// How others came out.
    pub counts: ClassCounts,
}

/// How somebody leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Served,
    Shed,
    Overdue,
    Gone,
}

#[derive(Debug, Default)]
struct Lines {
    by_model: HashMap<Box<str>, Queue<Arc<Seat>>>,
    /// No line that has ended had a ticket as late as this one. Who was given up leaves his line when he next looks, which
    /// may be another one by then.
    next_ticket: Ticket,
    /// By class; as many as have been configured.
    counts: BTreeMap<String, ClassCounts>,
}

/// Everybody who waits for room.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    lines: Mutex<Lines>,
    /// Requests in all lines: while there are none, nothing else is looked at.
    waiting: AtomicUsize,
}

impl Admission {
    /// What is known of each class, by name.
    pub(crate) fn status(&self) -> BTreeMap<String, ClassStatus> {
        let lines = self.lines();
        let mut all: BTreeMap<String, ClassStatus> = BTreeMap::new();
        for (class, counts) in &lines.counts {
            all.entry(class.clone()).or_default().counts = *counts;
        }
        for (class, requests, tokens) in lines.by_model.values().flat_map(Queue::waiting) {
            let status = all.entry(class.name.clone()).or_default();
            status.waiting += u64::from(requests);
            status.waiting_tokens += tokens;
        }
        all
    }

    /// From now on that policy holds, for those who wait as well.
    pub(crate) fn set_policy(&self, policy: &Arc<AdmissionPolicy>) {
        for queue in self.lines().by_model.values_mut() {
            queue.set_policy(policy);
            wake(queue);
        }
    }

    /// There may be room for anybody.
    pub(crate) fn news(&self) {
        if self.waiting.load(Relaxed) == 0 {
            return;
        }
        for queue in self.lines().by_model.values_mut() {
            queue.news();
            wake(queue);
        }
    }

    /// Whether somebody waits for that model, so that nobody may go past him.
    pub(crate) fn has_line(&self, model: &str) -> bool {
        self.waiting.load(Relaxed) > 0 && self.lines().by_model.contains_key(model)
    }

    /// Joins the line of `model`; `until` is when the request's own time is up.
    pub(super) fn join<'a>(
        &'a self,
        policy: &Arc<AdmissionPolicy>,
        model: &str,
        arrival: Arrival,
        clock: Clock,
        until: Timestamp,
    ) -> Result<Sleeper<'a>, Refused> {
        let now = clock.now();
        let mut lines = self.lines();
        let lines = &mut *lines;
        let new = || Queue::new(Arc::clone(policy), lines.next_ticket, now);
        let queue = lines.by_model.entry(model.into()).or_insert_with(new);
        queue.set_policy(policy);
        let class = policy.classes()[policy.class_of(arrival.priority)]
            .name
            .clone();
        let counts = lines.counts.entry(class.clone()).or_default();
        let seat = Arc::new(Seat::default());
        let joined = queue
            .join(arrival, Arc::clone(&seat), now)
            .inspect_err(|_| counts.refused += 1)?;
        self.waiting.fetch_add(1, Relaxed);
        joined.shed.iter().for_each(|seat| seat.shed());
        wake(queue);
        Ok(Sleeper {
            admission: self,
            model: model.into(),
            class,
            ticket: joined.ticket,
            seat,
            clock,
            until: until.min(now.after(joined.wait_at_most)),
            has_tried: false,
            left: Left::Gone,
        })
    }

    /// When a request of that priority would have its turn, as measured.
    pub(super) fn wait_of(
        &self,
        model: &str,
        priority: i8,
        now: Timestamp,
    ) -> Option<std::time::Duration> {
        let lines = self.lines();
        lines.by_model.get(model)?.wait_of(priority, now)
    }

    /// What is promised to those ahead, where it is the turn of `ticket`.
    pub(super) fn turn_of(&self, model: &str, ticket: Ticket) -> Option<Vec<EndpointId>> {
        let lines = self.lines();
        let queue = lines.by_model.get(model)?;
        let (turn, _) = queue.turn()?;
        (turn == ticket).then(|| queue.promised(ticket))
    }

    pub(super) fn stands(&self, model: &str, ticket: Ticket, endpoints: Box<[EndpointId]>) {
        if let Some(queue) = self.lines().by_model.get_mut(model) {
            queue.stands(ticket, endpoints);
            wake(queue);
        }
    }

    /// There may be room for whoever waits for `model`.
    pub(super) fn news_of(&self, model: &str) {
        if let Some(queue) = self.lines().by_model.get_mut(model) {
            queue.news();
            wake(queue);
        }
    }

    pub(super) fn leave(
        &self,
        model: &str,
        class: &str,
        ticket: Ticket,
        how: Left,
        now: Timestamp,
    ) {
        let mut lines = self.lines();
        let lines = &mut *lines;
        let counts = lines.counts.entry(class.to_owned()).or_default();
        match how {
            Left::Served => counts.served += 1,
            Left::Shed => counts.shed += 1,
            Left::Overdue => counts.overdue += 1,
            Left::Gone => counts.left += 1,
        }
        self.waiting.fetch_sub(1, Relaxed);
        let Some(queue) = lines.by_model.get_mut(model) else {
            return;
        };
        let _seat = match how {
            Left::Served => queue.serve(ticket, now),
            _ => queue.leave(ticket),
        };
        wake(queue);
        if queue.is_empty() {
            lines.next_ticket = lines.next_ticket.max(queue.next_ticket());
            lines.by_model.remove(model);
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes whoever has the turn.
fn wake(queue: &Queue<Arc<Seat>>) {
    if let Some((_, seat)) = queue.turn() {
        seat.wake();
    }
}

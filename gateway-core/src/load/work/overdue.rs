//! Whether an endpoint has been silent for longer than its work explains.

use std::time::Duration;

use super::{Work, flight::Flight};
use crate::{Timestamp, span_of_millis};

/// How many times its predicted time a prompt may take before its silence means something.
const PROMPTS: f64 = 4.0;

/// The same for decode steps, which are short and vary more.
const STEPS: f64 = 20.0;

impl Work {
    /// Whether something should have come by now of what is in flight, and for longer than `floor`; `heard` is when
    /// something last did. Replies that come whole say nothing, so they prove nothing.
    pub(in crate::load) fn is_overdue(
        &mut self,
        heard: Timestamp,
        floor: Duration,
        foreign_waiting: u32,
        now: Timestamp,
    ) -> bool {
        self.lapse(now);
        let (requests, context) = (f64::from(self.requests), self.context);
        let head = self.queue.head(&self.flights).map(|(_, head)| head);
        // Between two steps there may be the prompts of a whole batch.
        let prompts_ms = self.queue_ms(self.queue.work(), requests, context)
            + f64::from(foreign_waiting) * self.mean_prompt_ms;
        let heard_flights = self.flights.iter().flatten().filter(|one| one.is_heard());
        let (since, due_ms) = if heard_flights.clone().any(Flight::is_decoding) {
            (heard, prompts_ms)
        } else if let Some(head) = head.filter(|head| head.is_heard()) {
            (heard.max(self.progress).max(head.sent), prompts_ms)
        } else if let Some((sent, due_ms)) = heard_flights
            .filter_map(Flight::handed_over)
            .min_by_key(|(sent, _)| *sent)
        {
            (heard.max(sent), prompts_ms + due_ms)
        } else {
            return false;
        };
        let explained = PROMPTS * due_ms + STEPS * self.model.step_ms(requests, context);
        now.since(since) > floor.max(span_of_millis(explained))
    }

    /// The decode leg of a pair is on its way, and its first token is predicted to come `due_ms` after `now`.
    pub(in crate::load) fn handed_over(&mut self, ticket: u32, due_ms: f64, now: Timestamp) {
        let flight = self.flights.get_mut(ticket as usize);
        if let Some(flight) = flight.and_then(Option::as_mut) {
            flight.handed_over = Some((now, due_ms));
        }
    }
}

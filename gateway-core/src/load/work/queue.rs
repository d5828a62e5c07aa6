//! The prompts that wait for their first token.

use std::collections::VecDeque;

use super::flight::Flight;
use crate::latency::PromptWork;

/// Left tickets that may lie in the queue beside as many that wait.
const SLACK: usize = 64;

/// Tickets of prompts without a first token, oldest first; those that left are skipped, and cleared away now and then.
#[derive(Debug, Default)]
pub(super) struct PromptQueue {
    tickets: VecDeque<u32>,
    waiting: u32,
    /// The work of those that wait, all together.
    work: PromptWork,
}

impl PromptQueue {
    pub(super) fn waiting(&self) -> u32 {
        self.waiting
    }

    pub(super) fn work(&self) -> &PromptWork {
        &self.work
    }

    /// The first prompt that waits.
    pub(super) fn head<'f>(&self, flights: &'f [Option<Flight>]) -> Option<(u32, &'f Flight)> {
        let mut tickets = self.tickets.iter();
        tickets.find_map(|&ticket| waiting(flights, ticket).map(|flight| (ticket, flight)))
    }

    pub(super) fn push(&mut self, ticket: u32, prompt: &PromptWork, flights: &[Option<Flight>]) {
        self.waiting += 1;
        self.work = self.work.and(prompt);
        if self.tickets.len() > 2 * self.waiting as usize + SLACK {
            self.clear_away(flights);
        }
        self.tickets.push_back(ticket);
    }

    /// A prompt is done, or left.
    pub(super) fn done(&mut self, prompt: &PromptWork, flights: &[Option<Flight>]) {
        self.waiting = self.waiting.saturating_sub(1);
        self.work = match self.waiting {
            0 => PromptWork::default(),
            _ => self.work.without(prompt),
        };
        while let Some(&ticket) = self.tickets.front() {
            if waiting(flights, ticket).is_some() {
                break;
            }
            self.tickets.pop_front();
        }
    }

    /// A number that was given out again may stand here twice: its later place is the true one.
    fn clear_away(&mut self, flights: &[Option<Flight>]) {
        let mut seen = vec![false; flights.len()];
        let mut kept: VecDeque<_> = VecDeque::with_capacity(self.waiting as usize + 1);
        for &ticket in self.tickets.iter().rev() {
            let is_new = seen.get(ticket as usize).is_some_and(|seen| !seen);
            if is_new && waiting(flights, ticket).is_some() {
                seen[ticket as usize] = true;
                kept.push_front(ticket);
            }
        }
        self.tickets = kept;
    }
}

fn waiting(flights: &[Option<Flight>], ticket: u32) -> Option<&Flight> {
    let flight = flights.get(ticket as usize)?.as_ref()?;
    flight.is_waiting().then_some(flight)
}

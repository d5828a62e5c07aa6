//! Flows that take turns: deficit round robin over tokens.

use std::collections::{HashMap, VecDeque};

use super::Ticket;

/// One request in a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    /// At least 1.
    pub(super) tokens: u64,
}

#[derive(Debug, Default)]
struct Flow {
    waiting: VecDeque<Waiting>,
    deficit: u64,
}

impl Flow {
    /// Whole turns it has to be given before its first request may go.
    fn turns_short(&self, quantum: u64) -> u64 {
        let head = self.waiting.front().map_or(0, |head| head.tokens);
        head.saturating_sub(self.deficit).div_ceil(quantum)
    }
}

/// The flows with anything waiting, in the order of their turns.
#[derive(Debug, Default)]
pub(super) struct Flows {
    flows: HashMap<u64, Flow>,
    turns: VecDeque<u64>,
    /// Whether the first flow has been given its quantum of this turn.
    is_open: bool,
}

impl Flows {
    pub(super) fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    pub(super) fn push(&mut self, flow: u64, waiting: Waiting) {
        let here = self.flows.entry(flow).or_default();
        if here.waiting.is_empty() {
            self.turns.push_back(flow);
        }
        here.waiting.push_back(waiting);
    }

    /// Takes back what [`pop`](Self::pop) gave: it is the first of its flow again and has been paid for.
    pub(super) fn put_back(&mut self, flow: u64, waiting: Waiting) {
        let here = self.flows.entry(flow).or_default();
        if here.waiting.is_empty() {
            self.turns.push_front(flow);
            self.is_open = true;
        }
        here.deficit = here.deficit.saturating_add(waiting.tokens);
        here.waiting.push_front(waiting);
    }

    /// The next request, with its flow. `quantum` is at least 1.
    pub(super) fn pop(&mut self, quantum: u64) -> Option<(u64, Waiting)> {
        let mut passed = 0;
        loop {
            let &flow = self.turns.front()?;
            let here = self.flows.get_mut(&flow).expect("who has a turn waits");
            if !self.is_open {
                here.deficit = here.deficit.saturating_add(quantum);
                self.is_open = true;
            }
            let head = *here.waiting.front().expect("who has a turn waits");
            if head.tokens <= here.deficit {
                here.deficit -= head.tokens;
                here.waiting.pop_front();
                if here.waiting.is_empty() {
                    self.forget_first();
                }
                return Some((flow, head));
            }
            self.is_open = false;
            self.turns.rotate_left(1);
            passed += 1;
            if passed == self.turns.len() {
                self.skip_rounds(quantum);
                passed = 0;
            }
        }
    }

    /// Gives everybody the rounds in which nobody could send anything, all but the last of them.
    fn skip_rounds(&mut self, quantum: u64) {
        let short = self.flows.values().map(|flow| flow.turns_short(quantum));
        let rounds = short.min().unwrap_or(0).saturating_sub(1);
        for flow in self.flows.values_mut() {
            flow.deficit = flow.deficit.saturating_add(rounds.saturating_mul(quantum));
        }
    }

    /// Takes a request out.
    pub(super) fn remove(&mut self, flow: u64, ticket: Ticket) {
        let Some(here) = self.flows.get_mut(&flow) else {
            return;
        };
        here.waiting.retain(|one| one.ticket != ticket);
        if here.waiting.is_empty() {
            if self.turns.front() == Some(&flow) {
                self.forget_first();
            } else {
                self.flows.remove(&flow);
                self.turns.retain(|&other| other != flow);
            }
        }
    }

    /// Who has nothing left to send keeps no right to send more later.
    fn forget_first(&mut self) {
        if let Some(flow) = self.turns.pop_front() {
            self.flows.remove(&flow);
        }
        self.is_open = false;
    }
}

//! What is to happen.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::TraceRequest;
use super::event::{Event, Kind};

/// Events to come, those that engines make of themselves apart from those that come from outside.
#[derive(Debug)]
pub(super) struct Agenda {
    /// Requests by arrival, the next one last.
    arrivals: Vec<Event>,
    outside: BinaryHeap<Reverse<Event>>,
    steps: BinaryHeap<Reverse<Event>>,
}

impl Agenda {
    pub(super) fn new(trace: &[TraceRequest]) -> Self {
        let mut arrivals: Vec<Event> = (0..)
            .zip(trace)
            .map(|(request, traced)| Event {
                at: traced.at_seconds,
                kind: Kind::Arrival { request },
            })
            .collect();
        arrivals.sort_unstable_by(|a, b| b.cmp(a));
        Self {
            arrivals,
            outside: BinaryHeap::new(),
            steps: BinaryHeap::new(),
        }
    }

    pub(super) fn add(&mut self, at: f64, kind: Kind) {
        let event = Reverse(Event { at, kind });
        match kind {
            Kind::Step { .. } => self.steps.push(event),
            _ => self.outside.push(event),
        }
    }

    /// The next event, taken out.
    pub(super) fn pop(&mut self) -> Option<Event> {
        let outside = self.next_outside();
        let step = self.steps.peek().map(|event| event.0);
        match (outside, step) {
            (Some(outside), Some(step)) if step < outside => self.pop_step(),
            (None, _) => self.pop_step(),
            (Some(next), _) => {
                if self.arrivals.last() == Some(&next) {
                    self.arrivals.pop();
                } else {
                    self.outside.pop();
                }
                Some(next)
            }
        }
    }

    /// When the next thing happens; none where nothing is left.
    pub(super) fn next_at(&self) -> Option<f64> {
        let step = self.steps.peek().map(|event| event.0.at);
        let outside = self.next_outside().map(|event| event.at);
        match (step, outside) {
            (Some(step), Some(outside)) => Some(step.min(outside)),
            (step, outside) => step.or(outside),
        }
    }

    /// When the next thing happens that engines do not make of themselves; infinite where nothing does.
    pub(super) fn horizon(&self) -> f64 {
        self.next_outside().map_or(f64::INFINITY, |event| event.at)
    }

    /// When the first request comes; zero where none does.
    pub(super) fn first_arrival(&self) -> f64 {
        self.arrivals.last().map_or(0.0, |event| event.at)
    }

    fn next_outside(&self) -> Option<Event> {
        let other = self.outside.peek().map(|event| event.0);
        let arrival = self.arrivals.last().copied();
        match (arrival, other) {
            (Some(arrival), Some(other)) => Some(arrival.min(other)),
            (arrival, other) => arrival.or(other),
        }
    }

    fn pop_step(&mut self) -> Option<Event> {
        self.steps.pop().map(|event| event.0)
    }
}

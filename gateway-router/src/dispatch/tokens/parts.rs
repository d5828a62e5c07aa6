//! The calls of one stream: the first, and those that took up what others left.

use std::task::{Context, Poll};

use super::{lane::Lane, survival::NewCall};

/// Calls by their number in the stream. Bounded: each choice is taken up a few times at most.
pub(super) struct Parts(Vec<Part>);

pub(super) enum Part {
    /// Waits for its first tokens.
    Begins(Box<NewCall>),
    Streams(Box<Lane>),
    /// Nothing is left of it.
    Gone,
}

impl Parts {
    pub(super) fn of(first: Lane) -> Self {
        Self(vec![Part::Streams(Box::new(first))])
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn at(&mut self, at: usize) -> &mut Part {
        &mut self.0[at]
    }

    /// The first tokens of the call `at` are there.
    pub(super) fn set(&mut self, at: usize, lane: Lane) {
        self.0[at] = Part::Streams(Box::new(lane));
    }

    pub(super) fn forget(&mut self, at: usize) {
        self.0[at] = Part::Gone;
    }

    pub(super) fn extend(&mut self, calls: Vec<NewCall>) {
        let begin = |call| Part::Begins(Box::new(call));
        self.0.extend(calls.into_iter().map(begin));
    }

    /// Forgets all of them; what is under way is cancelled.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The calls whose answers are under way, with their numbers.
    pub(super) fn lanes(&mut self) -> impl Iterator<Item = (usize, &mut Lane)> {
        self.0
            .iter_mut()
            .enumerate()
            .filter_map(|(at, part)| match part {
                Part::Streams(lane) if !lane.is_over() => Some((at, &mut **lane)),
                _ => None,
            })
    }

    /// Whether no answer is under way.
    pub(super) fn are_over(&self) -> bool {
        self.0.iter().all(|part| match part {
            Part::Begins(_) => false,
            Part::Streams(lane) => lane.is_over(),
            Part::Gone => true,
        })
    }

    pub(super) fn are_gone(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Gone))
    }

    /// Drives what is left of exchanges whose answers are over.
    pub(super) fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for part in &mut self.0 {
            if let Part::Streams(lane) = part
                && lane.poll_rest(cx)
            {
                *part = Part::Gone;
            }
        }
        if self.are_gone() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

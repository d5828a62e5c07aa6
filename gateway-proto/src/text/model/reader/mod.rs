//! From the token ids of one choice to its events.

mod calls;
mod closing;
mod output;
mod reading;

use std::sync::Arc;

pub(super) use self::closing::Closings;
pub(super) use self::reading::{Reading, StopSpec};

use self::closing::Closing;
use self::output::Output;
use super::Constraint;
use crate::engines::{TokenEvent, TokenFinish};
use crate::ir::{Event, Finish, Step, StopCause};
use crate::text::detokenize::{Detokenizer, StopMatcher};
use crate::text::parse::{Parser, Piece};

/// What is to happen after an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The engine goes on.
    GoOn,
    /// The choice is over; an engine that still writes may stop.
    Over,
    /// The engine is to be stopped and the choice continued by another call, whose only choice is this one.
    Continue(Continuation),
}

/// The call that goes on with a choice: after its reasoning was closed, or from where a constraint begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Continuation {
    /// The prompt, with what was written so far.
    pub prompt: Arc<[u32]>,
    /// Tokens left.
    pub max_tokens: u64,
    /// Tokens that must still come at least.
    pub min_tokens: u64,
    /// What the engine is to enforce now.
    pub constraint: Option<Constraint>,
}

/// Where a constraint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is none, or the engine enforces it already.
    Settled,
    /// It begins when reasoning is over.
    Waiting {
        /// Whether there was any reasoning.
        has_reasoned: bool,
    },
}

/// Reads one choice.
pub struct Reader {
    reading: Arc<Reading>,
    prompt: Arc<[u32]>,
    /// Tokens that prompt and answer may have together.
    room: u64,
    generated: Vec<u32>,
    /// Steps that wait until it is clear whether what they tell of stays.
    withheld: Vec<Step>,
    detokenizer: Detokenizer,
    stops: StopMatcher,
    parser: Box<dyn Parser>,
    output: Output,
    phase: Phase,
    reasoning_tokens: u64,
    is_closed: bool,
    raw: String,
    text: String,
    pieces: Vec<Piece>,
}

impl Reader {
    pub(super) fn new(
        reading: Arc<Reading>,
        prompt: Arc<[u32]>,
        max_tokens: u64,
        choice: u32,
    ) -> Self {
        let phase = if reading.waits_for_reasoning() {
            Phase::Waiting {
                has_reasoned: reading.spec.reasoning.starts_in_reasoning(),
            }
        } else {
            Phase::Settled
        };
        Self {
            room: max_tokens.saturating_add(prompt.len() as u64),
            prompt,
            generated: Vec::new(),
            withheld: Vec::new(),
            detokenizer: reading.detokenizer(),
            stops: reading.stop_matcher(),
            parser: reading.parser(),
            output: reading.output(choice),
            phase,
            reasoning_tokens: 0,
            is_closed: false,
            raw: String::new(),
            text: String::new(),
            pieces: Vec::new(),
            reading,
        }
    }

    /// Tokens generated so far.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.generated.len() as u64
    }

    /// Of these, tokens of reasoning.
    #[must_use]
    pub fn reasoning_tokens(&self) -> u64 {
        self.reasoning_tokens
    }

    /// Takes in what the engine gave for this choice and appends what it means to `out`.
    pub fn push(&mut self, event: &TokenEvent, out: &mut Vec<Event>) -> Verdict {
        let before = self.generated.len();
        let verdict = self.take_ids(event, out);
        let taken = self.generated.len() - before;
        if self.reading.wants_ids && taken > 0 {
            self.tell(Step::TokenIds(event.ids[..taken].to_vec()), out);
        }
        match (&event.finish, verdict) {
            (Some(finish), Verdict::GoOn) => self.finish(finish, out),
            (_, verdict) => verdict,
        }
    }

    fn take_ids(&mut self, event: &TokenEvent, out: &mut Vec<Event>) -> Verdict {
        for (at, id) in event.ids.iter().enumerate() {
            if self.reading.ends_answer(*id) {
                self.generated.push(*id);
                if event.finish.is_some() {
                    continue;
                }
                // An engine that was not told of this end, or tells of it later.
                return self.finish(&TokenFinish::Stop { token: Some(*id) }, out);
            }
            if let Some(logprob) = event.logprobs.get(at) {
                let logprob = self.reading.logprob(logprob);
                self.tell(Step::Logprobs(vec![logprob]), out);
            }
            let verdict = self.token(*id, out);
            if verdict != Verdict::GoOn {
                return verdict;
            }
        }
        Verdict::GoOn
    }

    /// Tells of tokens, or waits with it until it is clear that they stay.
    fn tell(&mut self, step: Step, out: &mut Vec<Event>) {
        if let Phase::Waiting {
            has_reasoned: false,
        } = self.phase
        {
            self.withheld.push(step);
            return;
        }
        for step in self.withheld.drain(..) {
            self.output.step(step, out);
        }
        self.output.step(step, out);
    }

    fn token(&mut self, id: u32, out: &mut Vec<Event>) -> Verdict {
        self.generated.push(id);
        let was_reasoning = self.parser.is_reasoning();
        self.raw.clear();
        if self.reading.shows(id) {
            self.detokenizer.push(id, &mut self.raw);
        }
        let stopped = self.take_text(1);
        self.reasoning_tokens += u64::from(was_reasoning || self.parser.is_reasoning());
        if let Some(stop) = stopped {
            self.end(Finish::Stop, Some(StopCause::Text(stop)), out);
            return Verdict::Over;
        }
        if let Some(closing) = self.constraint_due(was_reasoning) {
            return self.continue_with(&closing, out);
        }
        self.take_pieces(out);
        if self.has_enough_calls() {
            self.output.end(Finish::Stop, None, out);
            return Verdict::Over;
        }
        if self.budget_is_spent() {
            return self.close_reasoning(out);
        }
        Verdict::GoOn
    }

    /// Passes `raw`, the text of so many tokens, through the stop texts and the parser; gives the stop text found.
    fn take_text(&mut self, tokens: u64) -> Option<String> {
        self.text.clear();
        let found = self.stops.push(&self.raw, tokens, &mut self.text);
        self.parser.push(&self.text, &mut self.pieces);
        found.map(|stop| self.reading.stops.text(stop))
    }

    fn take_pieces(&mut self, out: &mut Vec<Event>) {
        for piece in self.pieces.drain(..) {
            self.output.piece(piece, out);
            if self.reading.takes_one_call && self.output.whole_calls() > 0 {
                break;
            }
        }
        self.pieces.clear();
    }

    fn has_enough_calls(&self) -> bool {
        self.reading.takes_one_call && self.output.whole_calls() > 0
    }

    /// Whether the constraint begins now, and what is written before it then.
    fn constraint_due(&mut self, was_reasoning: bool) -> Option<Closing> {
        let Phase::Waiting { has_reasoned } = &mut self.phase else {
            return None;
        };
        *has_reasoned |= was_reasoning || self.parser.is_reasoning();
        let has_content = self.pieces.iter().any(is_content);
        match (*has_reasoned, has_content) {
            (true, _) if was_reasoning && !self.parser.is_reasoning() => {
                Some(self.reading.closings.after_reasoning())
            }
            (_, true) => Some(self.reading.closings.instead_of_reasoning()),
            _ => {
                self.pieces
                    .retain(|piece| matches!(piece, Piece::Reasoning(_)));
                None
            }
        }
    }

    /// Reasoning may go on to the end of a character, lest one be torn apart.
    fn budget_is_spent(&self) -> bool {
        let over = |budget| self.reasoning_tokens >= budget;
        let is_whole = self.detokenizer.is_whole();
        let is_spent = self.reading.budget.is_some_and(over);
        is_spent && is_whole && !self.is_closed && self.parser.is_reasoning()
    }

    /// Ends reasoning for the model.
    fn close_reasoning(&mut self, out: &mut Vec<Event>) -> Verdict {
        self.is_closed = true;
        let closing = self.reading.closings.in_reasoning();
        self.continue_with(&closing, out)
    }

    /// Goes on in another call, with `closing` behind what was written.
    fn continue_with(&mut self, closing: &Closing, out: &mut Vec<Event>) -> Verdict {
        self.let_go();
        let constraint = match self.phase {
            Phase::Waiting { .. } => {
                self.parser.finish(&mut self.pieces);
                self.pieces
                    .retain(|piece| matches!(piece, Piece::Reasoning(_)));
                self.parser = self.reading.constrained_parser();
                self.reading.constraint.clone()
            }
            Phase::Settled => {
                self.parser.push(&closing.text, &mut self.pieces);
                None
            }
        };
        self.phase = Phase::Settled;
        self.take_pieces(out);
        self.next_leg(closing, constraint, out)
    }

    /// The answer so far is text that stands: nothing of it waits for what the next call brings.
    fn let_go(&mut self) {
        self.raw.clear();
        self.detokenizer.finish(&mut self.raw);
        self.text.clear();
        // A stop text that ends here would have been found before.
        let _ = self.stops.push(&self.raw, 0, &mut self.text);
        self.stops.finish(&mut self.text);
        self.parser.push(&self.text, &mut self.pieces);
        self.detokenizer = self.reading.detokenizer();
        self.stops = self.reading.stop_matcher();
        let _ = self.stops.push("", self.tokens(), &mut self.text);
    }

    fn next_leg(
        &mut self,
        closing: &Closing,
        constraint: Option<Constraint>,
        out: &mut Vec<Event>,
    ) -> Verdict {
        let written = if closing.keeps_written {
            let withheld = std::mem::take(&mut self.withheld);
            withheld
                .into_iter()
                .for_each(|step| self.output.step(step, out));
            self.written()
        } else {
            self.withheld.clear();
            &[]
        };
        let prompt: Arc<[u32]> = [&self.prompt, written, &closing.tokens].concat().into();
        let left = self.room.saturating_sub(prompt.len() as u64);
        if left == 0 {
            self.output.end(Finish::Length, None, out);
            return Verdict::Over;
        }
        Verdict::Continue(Continuation {
            prompt,
            max_tokens: left,
            min_tokens: self.reading.min_tokens.saturating_sub(self.tokens()),
            constraint,
        })
    }

    /// What was generated, without the token that ended it.
    fn written(&self) -> &[u32] {
        match self.generated.split_last() {
            Some((last, rest)) if self.reading.ends_answer(*last) => rest,
            _ => &self.generated,
        }
    }

    fn finish(&mut self, finish: &TokenFinish, out: &mut Vec<Event>) -> Verdict {
        self.raw.clear();
        self.detokenizer.finish(&mut self.raw);
        let stopped = self.take_text(0);
        if stopped.is_none() && matches!(finish, TokenFinish::Stop { .. }) {
            // An answer that ended before its constraint could begin has not given what was asked for.
            match self.phase {
                Phase::Waiting { .. } if self.parser.is_reasoning() => {
                    return self.continue_with(&self.reading.closings.in_reasoning(), out);
                }
                Phase::Waiting { .. } => {
                    return self.continue_with(&self.reading.closings.instead_of_reasoning(), out);
                }
                Phase::Settled => {}
            }
        }
        let (finish, stop) = match (stopped, finish) {
            (Some(text), _) => (Finish::Stop, Some(StopCause::Text(text))),
            (None, TokenFinish::Stop { token }) => {
                let asked = token.filter(|token| self.reading.stop_token_ids.contains(token));
                (Finish::Stop, asked.map(StopCause::Token))
            }
            (None, TokenFinish::Length) => (Finish::Length, None),
            (None, TokenFinish::Other(word)) => (Finish::Other(word.clone()), None),
        };
        self.end(finish, stop, out);
        Verdict::Over
    }

    /// Lets go of everything held back, and ends.
    fn end(&mut self, finish: Finish, stop: Option<StopCause>, out: &mut Vec<Event>) {
        let withheld = std::mem::take(&mut self.withheld);
        withheld
            .into_iter()
            .for_each(|step| self.output.step(step, out));
        self.text.clear();
        self.stops.finish(&mut self.text);
        self.parser.push(&self.text, &mut self.pieces);
        self.parser.finish(&mut self.pieces);
        self.take_pieces(out);
        self.output.end(finish, stop, out);
    }
}

fn is_content(piece: &Piece) -> bool {
    match piece {
        Piece::Text(text) => !text.trim().is_empty(),
        Piece::Reasoning(_) => false,
        _ => true,
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("tokens", &self.generated.len())
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}

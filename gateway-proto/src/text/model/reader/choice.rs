//! One choice, token by token.

use std::sync::Arc;

use super::form::Phase;
use super::output::Output;
use super::{Reading, Verdict};
use crate::engines::{TokenEvent, TokenFinish};
use crate::ir::{Event, Finish, Step, StopCause};
use crate::text::detokenize::{Detokenizer, Stop, StopMatcher};
use crate::text::parse::{Parser, Piece};

/// Reads one choice.
pub struct Reader {
    pub(super) reading: Arc<Reading>,
    /// The prompt of the engine's present call.
    pub(super) prompt: Arc<[u32]>,
    /// Tokens that prompt and answer may have together.
    pub(super) room: u64,
    pub(super) generated: Vec<u32>,
    /// Where the present call's tokens begin in `generated`.
    pub(super) leg: usize,
    /// So many of `generated` stay, whatever a form makes of the others.
    pub(super) kept: usize,
    /// So many of `generated` are told, or are not to be.
    pub(super) told: usize,
    /// Steps that wait until it is clear whether what they tell of stays.
    pub(super) withheld: Vec<Step>,
    pub(super) detokenizer: Detokenizer,
    pub(super) stops: StopMatcher,
    pub(super) parser: Box<dyn Parser>,
    pub(super) output: Output,
    pub(super) phase: Phase,
    pub(super) reasoning_tokens: u64,
    /// How often reasoning was ended for the model.
    pub(super) closed: u32,
    pub(super) raw: String,
    pub(super) text: String,
    pub(super) pieces: Vec<Piece>,
    /// Pieces that wait until it is clear whether the answer is a call or of a form.
    pub(super) held: Vec<Piece>,
}

impl Reader {
    pub(in crate::text::model) fn new(
        reading: Arc<Reading>,
        prompt: Arc<[u32]>,
        max_tokens: u64,
        choice: u32,
    ) -> Self {
        Self {
            room: max_tokens.saturating_add(prompt.len() as u64),
            prompt,
            generated: Vec::new(),
            leg: 0,
            kept: 0,
            told: 0,
            withheld: Vec::new(),
            detokenizer: reading.detokenizer(),
            stops: reading.stop_matcher(),
            parser: reading.parser(),
            output: reading.output(choice),
            phase: reading.phase(),
            reasoning_tokens: 0,
            closed: 0,
            raw: String::new(),
            text: String::new(),
            pieces: Vec::new(),
            held: Vec::new(),
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
        let verdict = self.take_ids(event, out);
        match (&event.finish, verdict) {
            (Some(finish), Verdict::GoOn) => self.finish(finish, out),
            (_, verdict) => verdict,
        }
    }

    fn take_ids(&mut self, event: &TokenEvent, out: &mut Vec<Event>) -> Verdict {
        for (at, id) in event.ids.iter().enumerate() {
            self.generated.push(*id);
            if self.reading.ends_answer(*id) {
                if event.finish.is_some() {
                    continue;
                }
                // An engine that was not told of this end, or tells of it later.
                return self.finish(&TokenFinish::Stop { token: Some(*id) }, out);
            }
            self.tell_ids(out);
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

    /// Tells the ids of tokens that were not told yet, where they are wanted. The id that ends an answer is told with the
    /// end itself, as a choice that goes on does not hold it.
    fn tell_ids(&mut self, out: &mut Vec<Event>) {
        let untold = &self.generated[self.told..];
        if self.reading.wants_ids && !untold.is_empty() {
            let step = Step::TokenIds(untold.to_vec());
            self.tell(step, out);
        }
        self.told = self.generated.len();
    }

    /// Tells of tokens, or waits with it until it is clear that they stay.
    fn tell(&mut self, step: Step, out: &mut Vec<Event>) {
        if self.is_unsure() {
            self.withheld.push(step);
            return;
        }
        self.tell_withheld(out);
        self.output.step(step, out);
    }

    pub(super) fn tell_withheld(&mut self, out: &mut Vec<Event>) {
        for step in self.withheld.drain(..) {
            self.output.step(step, out);
        }
    }

    fn token(&mut self, id: u32, out: &mut Vec<Event>) -> Verdict {
        let was_reasoning = self.parser.is_reasoning();
        self.raw.clear();
        if self.reading.shows(id) {
            self.detokenizer.push(id, &mut self.raw);
        }
        let stopped = self.take_text(1);
        self.reasoning_tokens += u64::from(was_reasoning || self.parser.is_reasoning());
        if let Some(stop) = stopped {
            return self.stopped(stop, out);
        }
        if let Some(due) = self.form_due(was_reasoning) {
            return self.begin_form(&due, out);
        }
        self.take_pieces(out);
        if self.has_enough_calls() {
            self.over(Finish::Stop, None, out);
            return Verdict::Over;
        }
        if self.budget_is_spent() {
            return self.close_reasoning(out);
        }
        Verdict::GoOn
    }

    /// Passes `raw`, the text of so many tokens, through the stop texts and the parser; gives the stop text found.
    fn take_text(&mut self, tokens: u64) -> Option<Stop> {
        self.text.clear();
        let found = self.stops.push(&self.raw, tokens, &mut self.text);
        self.parser.push(&self.text, &mut self.pieces);
        found
    }

    pub(super) fn take_pieces(&mut self, out: &mut Vec<Event>) {
        for piece in self.pieces.drain(..) {
            if self.reading.takes_one_call && self.output.whole_calls() > 0 {
                break;
            }
            let is_certain = self.held.is_empty() && matches!(piece, Piece::Reasoning(_));
            if self.phase == Phase::Choosing && !is_certain {
                self.held.push(piece);
                continue;
            }
            for piece in self.held.drain(..).chain([piece]) {
                self.output.piece(piece, out);
            }
        }
        self.pieces.clear();
    }

    fn has_enough_calls(&self) -> bool {
        self.reading.takes_one_call && self.output.whole_calls() > 0
    }

    /// Reasoning may go on to the end of a character, lest one be torn apart.
    fn budget_is_spent(&self) -> bool {
        let over = |budget| self.reasoning_tokens >= budget;
        let is_whole = self.detokenizer.is_whole();
        let is_spent = self.reading.budget.is_some_and(over);
        is_spent && is_whole && self.may_close() && self.parser.is_reasoning()
    }

    fn finish(&mut self, finish: &TokenFinish, out: &mut Vec<Event>) -> Verdict {
        self.raw.clear();
        self.detokenizer.finish(&mut self.raw);
        if let Some(stop) = self.take_text(0) {
            return self.stopped(stop, out);
        }
        let (finish, stop) = match finish {
            TokenFinish::Stop { token } => return self.ended(*token, out),
            TokenFinish::Length => (Finish::Length, None),
            TokenFinish::Recomputed => (Finish::Abort, None),
            TokenFinish::Other(word) => (Finish::Other(word.clone()), None),
        };
        self.end(finish, stop, out);
        Verdict::Over
    }

    /// A stop text was found. The caller knows of its own alone; with one of the model's the answer ends by itself.
    fn stopped(&mut self, stop: Stop, out: &mut Vec<Event>) -> Verdict {
        let Some(text) = self.reading.stops.asked(stop) else {
            return self.ended(None, out);
        };
        self.end(Finish::Stop, Some(StopCause::Text(text)), out);
        Verdict::Over
    }

    /// The model is done, by this token where one is known. An answer that ended before its form could begin has not given
    /// what was asked for.
    fn ended(&mut self, token: Option<u32>, out: &mut Vec<Event>) -> Verdict {
        if let Some(due) = self.form_due_at_end() {
            return self.begin_form(&due, out);
        }
        let asked = token.filter(|token| self.reading.stop_token_ids.contains(token));
        self.end(Finish::Stop, asked.map(StopCause::Token), out);
        Verdict::Over
    }

    /// Lets go of everything held back, and ends.
    fn end(&mut self, finish: Finish, stop: Option<StopCause>, out: &mut Vec<Event>) {
        self.phase = Phase::Settled;
        self.text.clear();
        self.stops.finish(&mut self.text);
        self.parser.push(&self.text, &mut self.pieces);
        self.take_pieces(out);
        if finish != Finish::Stop || stop.is_some() {
            self.output.cut();
        }
        self.parser.finish(&mut self.pieces);
        self.take_pieces(out);
        self.over(finish, stop, out);
    }

    /// Nothing follows.
    pub(super) fn over(&mut self, finish: Finish, stop: Option<StopCause>, out: &mut Vec<Event>) {
        self.phase = Phase::Settled;
        for piece in self.held.drain(..) {
            self.output.piece(piece, out);
        }
        self.tell_withheld(out);
        self.tell_ids(out);
        self.output.end(finish, stop, out);
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

//! Going on in another call.

use std::sync::Arc;

use super::closing::Closing;
use super::form::{Due, Phase};
use super::{Continuation, Reader, Verdict};
use crate::ir::{Event, Finish};
use crate::text::model::Constraint;

/// How often reasoning is ended for a model that is free to reason again.
const MOST_CLOSINGS: u32 = 2;

impl Reader {
    /// Whether reasoning may still be ended for the model.
    pub(super) fn may_close(&self) -> bool {
        self.closed < MOST_CLOSINGS
    }

    /// Ends reasoning for the model. Where calls may come it is free to choose what follows; the second time the answer
    /// begins.
    pub(super) fn close_reasoning(&mut self, out: &mut Vec<Event>) -> Verdict {
        self.closed += 1;
        let is_free = self.closed < MOST_CLOSINGS && self.reading.may_call;
        let closings = &self.reading.closings;
        let closing = if is_free {
            closings.in_reasoning_to_choose()
        } else {
            closings.in_reasoning()
        };
        let begins_form = match self.phase {
            Phase::Settled => false,
            Phase::Waiting { .. } => true,
            Phase::Choosing => !is_free,
        };
        if begins_form {
            let keep = self.generated.len();
            return self.begin_form(&Due { closing, keep }, out);
        }
        self.let_go();
        self.parser.push(&closing.text, &mut self.pieces);
        self.take_pieces(out);
        self.next_leg(&closing, self.generated.len(), None, out)
    }

    /// The answer so far is text that stands: nothing of it waits for what the next call brings.
    pub(super) fn let_go(&mut self) {
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

    /// The next call's prompt: this one's, the tokens up to `keep`, and `closing`.
    pub(super) fn next_leg(
        &mut self,
        closing: &Closing,
        keep: usize,
        constraint: Option<Constraint>,
        out: &mut Vec<Event>,
    ) -> Verdict {
        // What waits tells of tokens that do not stay, unless all do.
        if keep == self.written_until() {
            self.tell_withheld(out);
        }
        self.withheld.clear();
        let written = &self.generated[self.leg..keep];
        self.prompt = [&self.prompt, written, &closing.tokens].concat().into();
        self.leg = self.generated.len();
        (self.kept, self.told) = (self.leg, self.leg);
        let left = self.room.saturating_sub(self.prompt.len() as u64);
        if left == 0 {
            self.over(Finish::Length, None, out);
            return Verdict::Over;
        }
        let least = self.reading.min_tokens.saturating_sub(self.tokens());
        Verdict::Continue(Continuation {
            prompt: Arc::clone(&self.prompt),
            max_tokens: left,
            min_tokens: least.min(left),
            constraint,
        })
    }

    /// Where what was generated ends, without the token that ended it.
    pub(super) fn written_until(&self) -> usize {
        let all = self.generated.len();
        let ended = self.generated[self.leg..].last();
        all - usize::from(ended.is_some_and(|id| self.reading.ends_answer(*id)))
    }
}

//! Where a form begins that the engine is to enforce.

use super::closing::Closing;
use super::{Reader, Verdict};
use crate::ir::Event;
use crate::text::parse::Piece;

/// Tokens of text that may go before a call, as "Let me look that up.", where the answer is a call or of a form.
const MOST_PREAMBLE_TOKENS: usize = 64;

/// Where the form of an answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// There is none, or the engine enforces it already, or a call came in its place.
    Settled,
    /// It begins when reasoning is over.
    Waiting {
        /// Whether there was any reasoning.
        has_reasoned: bool,
    },
    /// It begins with the text that is no preamble of a call; a call comes in its place.
    Choosing,
}

/// A form that begins now.
pub(super) struct Due {
    /// What is written before it.
    pub(super) closing: Closing,
    /// How many of the generated tokens stay.
    pub(super) keep: usize,
}

impl Reader {
    /// Whether what comes now may have to give way to the form.
    pub(super) fn is_unsure(&self) -> bool {
        match self.phase {
            Phase::Settled => false,
            Phase::Waiting { has_reasoned } => !has_reasoned,
            Phase::Choosing => !self.parser.is_reasoning(),
        }
    }

    /// Whether the form begins with the token just read.
    pub(super) fn form_due(&mut self, was_reasoning: bool) -> Option<Due> {
        match self.phase {
            Phase::Settled => None,
            Phase::Waiting { has_reasoned } => {
                let has_reasoned = has_reasoned || was_reasoning || self.parser.is_reasoning();
                self.phase = Phase::Waiting { has_reasoned };
                self.form_due_after_reasoning(was_reasoning, has_reasoned)
            }
            Phase::Choosing => self.form_due_with_text(was_reasoning),
        }
    }

    fn form_due_after_reasoning(&mut self, was_reasoning: bool, has_reasoned: bool) -> Option<Due> {
        if has_reasoned && was_reasoning && !self.parser.is_reasoning() {
            self.kept = self.generated.len();
            return Some(self.due());
        }
        if self.pieces.iter().any(is_content) {
            return Some(self.due());
        }
        self.pieces
            .retain(|piece| matches!(piece, Piece::Reasoning(_)));
        None
    }

    fn form_due_with_text(&mut self, was_reasoning: bool) -> Option<Due> {
        if was_reasoning || self.parser.is_reasoning() {
            self.kept = self.generated.len();
        }
        if self.settles_with_call() {
            return None;
        }
        let is_long = self.generated.len() - self.kept > MOST_PREAMBLE_TOKENS;
        let is_no_preamble = |piece: &Piece| match piece {
            Piece::Text(text) => text.contains(['{', '[']) || (is_long && is_content(piece)),
            _ => false,
        };
        let is_due = self.pieces.iter().any(is_no_preamble);
        is_due.then(|| self.due())
    }

    fn settles_with_call(&mut self) -> bool {
        let is_call = |piece: &Piece| !matches!(piece, Piece::Text(_) | Piece::Reasoning(_));
        let settles = self.pieces.iter().any(is_call);
        if settles {
            self.phase = Phase::Settled;
        }
        settles
    }

    /// Whether the form begins although the model was done.
    pub(super) fn form_due_at_end(&mut self) -> Option<Due> {
        if self.phase == Phase::Settled {
            return None;
        }
        if self.parser.is_reasoning() {
            return Some(Due {
                closing: self.reading.closings.in_reasoning(),
                keep: self.written_until(),
            });
        }
        if self.phase == Phase::Choosing {
            self.parser.finish(&mut self.pieces);
            if self.settles_with_call() {
                return None;
            }
        }
        Some(self.due())
    }

    /// The form behind what stays; in place of all that the present call gave where that is nothing.
    fn due(&self) -> Due {
        let closings = &self.reading.closings;
        Due {
            closing: if self.kept > self.leg {
                closings.after_reasoning()
            } else {
                closings.instead_of_reasoning()
            },
            keep: self.kept,
        }
    }

    /// Goes on with the form in another call.
    pub(super) fn begin_form(&mut self, due: &Due, out: &mut Vec<Event>) -> Verdict {
        self.let_go();
        self.parser.finish(&mut self.pieces);
        self.pieces.splice(..0, self.held.drain(..));
        self.pieces
            .retain(|piece| matches!(piece, Piece::Reasoning(_)));
        self.parser = self.reading.constrained_parser();
        self.phase = Phase::Settled;
        self.take_pieces(out);
        let form = self.reading.constraint.clone();
        self.next_leg(&due.closing, due.keep, form, out)
    }
}

fn is_content(piece: &Piece) -> bool {
    match piece {
        Piece::Text(text) => !text.trim().is_empty(),
        Piece::Reasoning(_) => false,
        _ => true,
    }
}

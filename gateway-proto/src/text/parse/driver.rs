//! Feeds a grammar.

use super::cursor::{Cursor, Flow, Span};
use super::{Parser, Piece};

/// How far a grammar got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Something was consumed or is known now: go on.
    On,
    /// What is left is ambiguous: it needs more input.
    More,
}

/// How a family writes a whole answer.
///
/// What a grammar does with a stretch of output may depend on the bytes before it and on the bytes it has seen behind it,
/// but never on where pushes begin and end: where more input could change a decision, it says [`Progress::More`].
pub(super) trait Grammar: Send {
    /// Consumes some of the cursor's rest, which is not empty. On an ended cursor it consumes or leaves text behind.
    fn step(&mut self, cursor: &mut Cursor<'_>) -> Progress;

    /// The answer is over and all of it consumed.
    fn finish(&mut self, _cursor: &mut Cursor<'_>) {}

    /// Whether the model is reasoning now.
    fn is_reasoning(&self) -> bool;
}

/// A parser that can tell what became of each byte.
pub(crate) trait Traced: Parser {
    /// Records spans from now on.
    fn trace(&mut self);

    /// What became of the bytes since then.
    fn spans(&self) -> &[Span];
}

/// Holds the ambiguous end of the output between pushes.
pub(super) struct Driver<G> {
    grammar: G,
    held: String,
    flow: Flow,
}

impl<G: Grammar> Driver<G> {
    pub(super) fn new(grammar: G) -> Self {
        Self {
            grammar,
            held: String::new(),
            flow: Flow::default(),
        }
    }

    /// How many bytes of `input` are done with.
    fn run(&mut self, input: &str, ended: bool, out: &mut Vec<Piece>) -> usize {
        let mut cursor = Cursor::new(input, ended, out, &mut self.flow);
        while !cursor.rest().is_empty() && self.grammar.step(&mut cursor) == Progress::On {}
        if ended {
            cursor.set_lead(0);
            cursor.text(cursor.rest().len());
            self.grammar.finish(&mut cursor);
            cursor.end();
        }
        cursor.at()
    }
}

impl<G: Grammar> Parser for Driver<G> {
    fn push(&mut self, text: &str, out: &mut Vec<Piece>) {
        if self.held.is_empty() {
            let done = self.run(text, false, out);
            self.held.push_str(&text[done..]);
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.push_str(text);
            let done = self.run(&held, false, out);
            held.drain(..done);
            self.held = held;
        }
    }

    fn finish(&mut self, out: &mut Vec<Piece>) {
        let held = std::mem::take(&mut self.held);
        self.run(&held, true, out);
    }

    fn is_reasoning(&self) -> bool {
        self.grammar.is_reasoning()
    }
}

impl<G: Grammar> Traced for Driver<G> {
    fn trace(&mut self) {
        self.flow.spans = Some(Vec::new());
    }

    fn spans(&self) -> &[Span] {
        self.flow.spans.as_deref().unwrap_or_default()
    }
}

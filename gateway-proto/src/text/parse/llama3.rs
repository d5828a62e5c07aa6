//! `{"name": .., "parameters": ..}`, alone or after `<|python_tag|>`: Llama 3.1 to 3.3.
//!
//! Several calls are separated by `;` or nothing. An object counts only where no text stands before it, and only if it
//! is a call and nothing else: the first key that calls do not have makes it text.

use super::answer::{Calls, Step};
use super::cursor::Cursor;
use super::json::JsonList;

const TAG: &str = "<|python_tag|>";
const OBJECT: &str = "{";
const NEXT: &str = ";";

/// Reads the calls.
#[derive(Default)]
pub(super) struct Llama3 {
    list: JsonList,
    marker: &'static str,
    /// Whether there was a call.
    called: bool,
}

impl Calls for Llama3 {
    fn markers(&self) -> &[&'static str] {
        &[TAG]
    }

    fn leading(&self) -> &[&'static str] {
        let first = if self.called {
            &[OBJECT, NEXT][..]
        } else {
            &[OBJECT]
        };
        self.list.leading().unwrap_or(first)
    }

    fn open(&mut self, marker: &'static str) {
        self.marker = if marker == OBJECT { "" } else { marker };
        self.list.open();
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let before = cursor.at();
        let step = self.list.step(cursor, self.marker, self.marker != TAG);
        self.called |= cursor.at() > before;
        step
    }
}

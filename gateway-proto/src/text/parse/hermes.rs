//! `<tool_call>{"name": .., "arguments": ..}</tool_call>`: Hermes 2 and later, Qwen 2.5, Qwen 3.
//!
//! The model writes a JSON object between the tags, each call in tags of its own. Inside open reasoning a valid call ends
//! the reasoning, as vLLM's `qwen3` reasoning parser has it. A missing closing tag is forgiven.

use super::answer::{Calls, Step};
use super::cursor::Cursor;
use super::json::{JsonCall, ObjectReader};

const OPEN: &str = "<tool_call>";
const CLOSE: &str = "</tool_call>";

/// Reads the calls.
#[derive(Default)]
pub(super) struct Hermes {
    call: Option<JsonCall>,
    /// Whether a call's closing tag may come.
    unclosed: bool,
}

impl Calls for Hermes {
    fn markers(&self) -> &[&'static str] {
        if self.unclosed {
            &[OPEN, CLOSE]
        } else {
            &[OPEN]
        }
    }

    fn ends_reasoning(&self) -> bool {
        true
    }

    fn open(&mut self, marker: &'static str) {
        self.call = (marker == OPEN).then(|| JsonCall::new(ObjectReader::lenient()));
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let Some(call) = &mut self.call else {
            cursor.markup(CLOSE.len());
            self.unclosed = false;
            return Step::Done;
        };
        let before = cursor.at();
        let step = call.step(cursor, OPEN.len(), Some(CLOSE));
        self.unclosed |= cursor.at() > before;
        step
    }
}

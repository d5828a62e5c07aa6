//! JSON without markers of its own: an object or an array of objects, bare or in a fenced block.
//!
//! It counts only where no text stands before it, and only if it is a call and nothing else, with a name and arguments
//! (or parameters): the first key that calls do not have makes it text.

use super::ahead::{Ahead, Miss};
use super::answer::{Calls, Step};
use super::cursor::Cursor;
use super::json::JsonList;

const OBJECT: &str = "{";
const ARRAY: &str = "[";
const FENCE: &str = "```";

/// The longest opening of a fenced block, in bytes.
const LONGEST_FENCE: usize = 64;

/// Reads the calls.
#[derive(Default)]
pub(super) struct Bare {
    list: JsonList,
    marker: &'static str,
    in_fence: bool,
    /// Whether something of the current construct is consumed.
    begun: bool,
}

impl Bare {
    /// The opening of a fenced block, up to the JSON in it.
    fn fence(&self, rest: &str) -> Result<usize, Step> {
        let mut ahead = Ahead::new(rest);
        let seen = ahead.literal(FENCE).and_then(|()| {
            ahead.run(LONGEST_FENCE, |c| c.is_ascii_alphanumeric())?;
            ahead.space();
            ahead.peek()
        });
        match seen {
            Err(Miss::More) if rest.len() <= LONGEST_FENCE => Err(Step::More),
            Ok('{' | '[') if ahead.taken() <= LONGEST_FENCE => Ok(ahead.taken()),
            _ => Err(Step::Not),
        }
    }
}

impl Calls for Bare {
    fn markers(&self) -> &[&'static str] {
        &[]
    }

    fn leading(&self) -> &[&'static str] {
        let first = &[OBJECT, ARRAY, FENCE];
        self.list.leading().unwrap_or(first)
    }

    fn open(&mut self, marker: &'static str) {
        self.marker = marker;
        self.begun = false;
        self.list.open();
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let rest = cursor.rest();
        let marker = match self.marker {
            _ if self.begun => "",
            FENCE if self.in_fence => {
                cursor.markup(FENCE.len());
                self.in_fence = false;
                return Step::Done;
            }
            FENCE => match self.fence(rest) {
                Ok(bytes) => &rest[..bytes],
                Err(step) => return step,
            },
            OBJECT | ARRAY => "",
            other => other,
        };
        let before = cursor.at();
        let step = self.list.step(cursor, marker, true);
        self.begun |= cursor.at() > before;
        self.in_fence |= self.marker == FENCE && self.begun;
        step
    }
}

//! Answers without calls.

use super::answer::{Calls, Step};
use super::cursor::Cursor;

/// No calls at all.
pub(super) struct Plain;

impl Calls for Plain {
    fn markers(&self) -> &[&'static str] {
        &[]
    }

    fn open(&mut self, _marker: &'static str) {}

    fn step(&mut self, _cursor: &mut Cursor<'_>) -> Step {
        Step::Not
    }
}

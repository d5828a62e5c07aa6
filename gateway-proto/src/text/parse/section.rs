//! Calls between special tokens, several in a section: DeepSeek V3 and V3.1, Kimi K2.
//!
//! A call is a head that names it, its arguments as JSON, and an end. The section's opening may be missing (models of
//! both families forget it), and so may each end. Text inside a section is text.

use super::ahead::{Ahead, Miss, Seen};
use super::answer::{Calls, Step};
use super::cursor::Cursor;
use super::json::Arguments;

/// The longest stretch from the section's opening to the arguments, in bytes.
const LONGEST_HEAD: usize = 1_024;

/// One format.
#[derive(Debug)]
pub(super) struct Format {
    /// What begins a section, in all spellings.
    pub(super) begins: &'static [&'static str],
    /// What ends it.
    pub(super) ends: &'static [&'static str],
    /// What begins a call.
    pub(super) call: &'static str,
    /// What ends one.
    pub(super) call_end: &'static str,
    /// Reads on from a call's beginning to its arguments.
    pub(super) head: for<'a> fn(&mut Ahead<'a>) -> Seen<Head<'a>>,
    /// What may stand between the arguments and the call's end.
    pub(super) fence: &'static [&'static str],
    /// All that counts outside a section: `begins` and `call`.
    pub(super) outside: &'static [&'static str],
    /// All that counts inside one: `begins`, `call` and `ends`.
    pub(super) inside: &'static [&'static str],
    /// The same and `call_end`.
    pub(super) unclosed: &'static [&'static str],
    /// Whether a call ends open reasoning.
    pub(super) ends_reasoning: bool,
}

/// What a head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    /// The id, where the format has one.
    pub(super) id: Option<&'a str>,
    /// The function.
    pub(super) name: &'a str,
}

/// Reads calls of one format.
pub(super) struct Section {
    format: &'static Format,
    marker: &'static str,
    arguments: Option<Arguments>,
    in_section: bool,
    /// Whether the last call's end may still come.
    unclosed: bool,
}

impl Section {
    pub(super) fn new(format: &'static Format) -> Self {
        Self {
            format,
            marker: format.call,
            arguments: None,
            in_section: false,
            unclosed: false,
        }
    }

    fn head(&mut self, cursor: &mut Cursor<'_>) -> Step {
        let rest = cursor.rest();
        let mut ahead = Ahead::new(rest);
        let seen = self.look(&mut ahead);
        match seen {
            Err(Miss::More) if rest.len() <= LONGEST_HEAD => Step::More,
            Ok((head, empty)) if ahead.taken() <= LONGEST_HEAD => {
                cursor.source(ahead.taken());
                cursor.start(head.id.map(ToOwned::to_owned), head.name.to_owned());
                self.in_section = true;
                if empty {
                    cursor.write_arguments("{}");
                    return self.end(cursor);
                }
                self.arguments = Some(Arguments::default());
                Step::On
            }
            _ => Step::Not,
        }
    }

    /// The head, and whether the call has no arguments.
    fn look<'a>(&self, ahead: &mut Ahead<'a>) -> Seen<(Head<'a>, bool)> {
        ahead.literal(self.marker)?;
        if self.marker != self.format.call {
            ahead.space();
            ahead.literal(self.format.call)?;
        }
        let head = (self.format.head)(ahead)?;
        ahead.space();
        if ahead.peek()? == '{' {
            return Ok((head, false));
        }
        let mut behind = *ahead;
        behind.literal(self.format.call_end)?;
        Ok((head, true))
    }

    fn end(&mut self, cursor: &mut Cursor<'_>) -> Step {
        cursor.end();
        self.arguments = None;
        self.unclosed = true;
        Step::Done
    }
}

impl Calls for Section {
    fn markers(&self) -> &[&'static str] {
        match (self.in_section, self.unclosed) {
            (_, true) => self.format.unclosed,
            (true, false) => self.format.inside,
            (false, false) => self.format.outside,
        }
    }

    fn leading(&self) -> &[&'static str] {
        if self.unclosed {
            self.format.fence
        } else {
            &[]
        }
    }

    fn ends_reasoning(&self) -> bool {
        self.format.ends_reasoning
    }

    fn open(&mut self, marker: &'static str) {
        self.marker = marker;
    }

    fn step(&mut self, cursor: &mut Cursor<'_>) -> Step {
        if let Some(arguments) = &mut self.arguments {
            return match arguments.step(cursor, Some(self.format.call_end)) {
                Step::Done => self.end(cursor),
                step => step,
            };
        }
        let marker = self.marker;
        if marker == self.format.call || self.format.begins.contains(&marker) {
            return self.head(cursor);
        }
        cursor.markup(marker.len());
        self.unclosed &= self.format.fence.contains(&marker);
        self.in_section &= !self.format.ends.contains(&marker);
        Step::Done
    }
}

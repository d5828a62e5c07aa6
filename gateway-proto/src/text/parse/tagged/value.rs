//! The value of one parameter.

use super::super::answer::Step;
use super::super::cursor::Cursor;
use super::super::escape::{push_escaped, push_quoted};
use super::super::tags::{Found, find};
use super::super::typed::{Types, convert, is_text};
use super::shape::Breaks;
use super::{LONGEST_WAIT, Shape};

/// The reader of one value.
#[derive(Debug)]
pub(super) struct Value {
    types: Types,
    phase: Phase,
    /// A line break before the end is markup.
    trim: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Before the first character.
    Begin,
    /// Nothing is written; the end was looked for in so many bytes.
    Held(usize),
    /// Within a string.
    Text,
}

impl Value {
    pub(super) fn new(types: Types) -> Self {
        Self {
            types,
            phase: Phase::Begin,
            trim: false,
        }
    }

    /// Reads on; `Done` behind the value's end.
    pub(super) fn step(&mut self, shape: &Shape, cursor: &mut Cursor<'_>) -> Step {
        match self.phase {
            Phase::Begin => {
                let wrapped = shape.breaks != Breaks::Keep && cursor.rest().starts_with('\n');
                cursor.source(usize::from(wrapped));
                self.trim = wrapped || shape.breaks == Breaks::Drop;
                self.phase = Phase::Held(0);
                Step::On
            }
            Phase::Held(searched) => self.held(searched, shape, cursor),
            Phase::Text => self.text(shape, cursor),
        }
    }

    fn held(&mut self, searched: usize, shape: &Shape, cursor: &mut Cursor<'_>) -> Step {
        let rest = cursor.rest();
        let found = find(rest, searched, &ends(shape), cursor.ended());
        let content = self.content(rest, &found, cursor.ended());
        if found.which.is_some() {
            let json = if content.len() > LONGEST_WAIT {
                quoted(content)
            } else {
                convert(self.types, content)
            };
            cursor.write_arguments(&json);
            cursor.source(found.certain);
            return close(shape, &found, cursor);
        }
        if is_text(self.types, content) || content.len() > LONGEST_WAIT {
            cursor.write_arguments("\"");
            self.phase = Phase::Text;
            return Step::On;
        }
        self.phase = Phase::Held(found.certain);
        if cursor.ended() {
            cursor.arguments(rest.len());
        }
        Step::More
    }

    fn text(&self, shape: &Shape, cursor: &mut Cursor<'_>) -> Step {
        let rest = cursor.rest();
        let found = find(rest, 0, &ends(shape), cursor.ended());
        let content = self.content(rest, &found, cursor.ended());
        let mut json = String::with_capacity(content.len() + 16);
        push_escaped(&mut json, content);
        cursor.source(content.len());
        if found.which.is_none() {
            cursor.write_arguments(&json);
            return Step::More;
        }
        json.push('"');
        cursor.write_arguments(&json);
        cursor.source(found.certain - content.len());
        close(shape, &found, cursor)
    }

    /// What is certain to be the value's, without the line break that may not be.
    fn content<'a>(&self, rest: &'a str, found: &Found, ended: bool) -> &'a str {
        let certain = &rest[..found.certain];
        if self.trim && (found.which.is_some() || !ended) {
            certain.strip_suffix('\n').unwrap_or(certain)
        } else {
            certain
        }
    }
}

/// Behind a value: takes its own closing tag, and leaves others to the call.
fn close(shape: &Shape, found: &Found, cursor: &mut Cursor<'_>) -> Step {
    if found.which == Some(0) {
        cursor.source(shape.value_end.len());
    }
    Step::Done
}

fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    push_quoted(&mut json, text);
    json
}

/// What ends a value, its own closing tag first.
fn ends(shape: &Shape) -> [&'static str; 3] {
    [shape.value_end, shape.parameter, shape.call_end]
}

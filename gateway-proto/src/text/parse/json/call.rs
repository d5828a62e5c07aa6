//! A call that is one JSON object.

use super::super::answer::Step;
use super::super::cursor::Cursor;
use super::super::scan;
use super::{Arguments, Found, ObjectReader};

/// Reads `{"name": .., "arguments": ..}` behind a marker.
#[derive(Clone, Debug)]
pub(in super::super) struct JsonCall {
    reader: ObjectReader,
    phase: Phase,
}

#[derive(Clone, Debug)]
enum Phase {
    Head,
    Arguments(Arguments),
    Tail,
}

impl JsonCall {
    /// A call whose object `reader` reads.
    pub(in super::super) fn new(reader: ObjectReader) -> Self {
        Self {
            reader,
            phase: Phase::Head,
        }
    }

    /// Reads on. Until something is consumed the rest begins with a marker of `marker` bytes, whitespace, and the object.
    /// `end` is the text that ends a call whose arguments are broken.
    pub(in super::super) fn step(
        &mut self,
        cursor: &mut Cursor<'_>,
        marker: usize,
        end: Option<&str>,
    ) -> Step {
        match &mut self.phase {
            Phase::Head => self.head(cursor, marker),
            Phase::Arguments(arguments) => match arguments.step(cursor, end) {
                Step::Done => {
                    self.reader.resume();
                    self.phase = Phase::Tail;
                    Step::On
                }
                step => step,
            },
            Phase::Tail => match self.reader.read(cursor.rest()) {
                Found::Whole(bytes) => {
                    cursor.source(bytes);
                    Step::Done
                }
                Found::More => Step::More,
                Found::Not | Found::Arguments(_) => Step::Done,
            },
        }
    }

    fn head(&mut self, cursor: &mut Cursor<'_>, marker: usize) -> Step {
        let space = scan::space_at(&cursor.rest()[marker..]);
        if space > scan::MOST_SPACE {
            return Step::Not;
        }
        let object = &cursor.rest()[marker + space..];
        let (bytes, whole) = match self.reader.read(object) {
            Found::More => return Step::More,
            Found::Not => return Step::Not,
            Found::Arguments(at) => (at, None),
            Found::Whole(end) => (end, Some(self.reader.whole_arguments(object))),
        };
        let Some((id, name)) = self.reader.take_names() else {
            return Step::Not;
        };
        cursor.markup(marker + space);
        cursor.source(bytes);
        cursor.start(id, name);
        let Some(arguments) = whole else {
            self.phase = Phase::Arguments(Arguments::default());
            return Step::On;
        };
        cursor.write_arguments(&arguments);
        cursor.end();
        Step::Done
    }
}

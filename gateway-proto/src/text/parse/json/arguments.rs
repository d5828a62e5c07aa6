//! Arguments that are JSON already.

use super::super::answer::Step;
use super::super::cursor::Cursor;
use super::super::scan::{self, Found};
use super::{Scan, ValueScanner};

/// Passes a JSON value on as it comes. What turns out to be no JSON goes on as arguments up to the marker that ends the
/// call, or to the end of the answer where there is none: the call has begun by then and cannot be taken back.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Arguments {
    scanner: ValueScanner,
    broken: bool,
}

impl Arguments {
    /// Reads on; [`Step::Done`] ends the call.
    pub(in super::super) fn step(&mut self, cursor: &mut Cursor<'_>, end: Option<&str>) -> Step {
        if self.broken {
            return Self::broken(cursor, end);
        }
        let rest = cursor.rest();
        match self.scanner.feed(rest.as_bytes()) {
            Scan::Ended(bytes) => {
                cursor.arguments(bytes);
                cursor.end();
                Step::Done
            }
            Scan::Open => {
                cursor.arguments(rest.len());
                Step::More
            }
            Scan::Broken(at) => {
                cursor.arguments(at);
                self.broken = true;
                Step::On
            }
        }
    }

    fn broken(cursor: &mut Cursor<'_>, end: Option<&str>) -> Step {
        let markers = end.as_slice();
        match scan::find(cursor.rest(), markers, cursor.ended()) {
            Found::Nothing { text } => {
                cursor.arguments(text);
                Step::More
            }
            Found::Marker { text, .. } => {
                cursor.arguments(text);
                cursor.end();
                Step::Done
            }
        }
    }
}

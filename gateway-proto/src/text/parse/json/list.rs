//! Calls as JSON objects, one or an array of them.

use super::super::answer::Step;
use super::super::cursor::Cursor;
use super::super::scan;
use super::{JsonCall, ObjectReader};

/// What stands in an array, beside its objects.
const IN_ARRAY: &[&str] = &[",", "]"];

/// Reads `{..}` or `[{..}, {..}]` behind a marker.
#[derive(Debug, Default)]
pub(in super::super) struct JsonList {
    call: Option<Element>,
    in_array: bool,
}

#[derive(Debug)]
struct Element {
    call: JsonCall,
    /// The bytes before the object, the marker included.
    marker: usize,
    opens_array: bool,
}

impl JsonList {
    /// The markers that count right after a call, while an array is open.
    pub(in super::super) fn leading(&self) -> Option<&'static [&'static str]> {
        self.in_array.then_some(IN_ARRAY)
    }

    /// A marker was found.
    pub(in super::super) fn open(&mut self) {
        self.call = None;
    }

    /// Reads on behind `marker`, which is empty where the object or array itself is the marker. Objects must be calls and
    /// nothing else where `strict`.
    pub(in super::super) fn step(
        &mut self,
        cursor: &mut Cursor<'_>,
        marker: &str,
        strict: bool,
    ) -> Step {
        if marker == "]" {
            cursor.markup(1);
            self.in_array = false;
            return Step::Done;
        }
        let element = match &mut self.call {
            Some(element) => element,
            None => match Element::look(cursor.rest(), marker, strict) {
                Ok(element) => self.call.insert(element),
                Err(step) => return step,
            },
        };
        let before = cursor.at();
        let step = element.call.step(cursor, element.marker, None);
        if cursor.at() > before && element.opens_array {
            self.in_array = true;
        }
        step
    }
}

impl Element {
    fn look(rest: &str, marker: &str, strict: bool) -> Result<Self, Step> {
        let behind = &rest[marker.len()..];
        let space = scan::space_at(behind);
        let reader = if strict {
            ObjectReader::strict()
        } else {
            ObjectReader::lenient()
        };
        let opens_array = match behind.as_bytes().get(space) {
            None if space <= scan::MOST_SPACE => return Err(Step::More),
            Some(b'[') if marker != "," && space <= scan::MOST_SPACE => true,
            Some(b'{') => false,
            _ => return Err(Step::Not),
        };
        Ok(Self {
            call: JsonCall::new(reader),
            marker: marker.len() + if opens_array { space + 1 } else { 0 },
            opens_array,
        })
    }
}

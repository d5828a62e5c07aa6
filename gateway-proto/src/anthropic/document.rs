//! The places of all values of a body, found in one pass.

use serde::de::IgnoredAny;

use crate::dialect::DialectError;

/// The deepest nesting of a body. `serde_json` reads no deeper tree, so nothing that is kept raw may go beyond it.
const DEPTH: usize = 120;

/// A body with an index of its values, so that taking it apart level by level looks at each byte once.
pub(super) struct Document<'a> {
    text: &'a str,
    values: Vec<Value>,
}

/// A value's bytes. Values stand in the order of their starts, an object's keys and values taking turns.
struct Value {
    start: u32,
    end: u32,
    /// The next value that is not within this one.
    next: u32,
}

impl<'a> Document<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// For what is no JSON object in UTF-8, is nested too deeply or has 4 GiB.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, DialectError> {
        let refused = |why: String| {
            DialectError::body(format!("the body is not a JSON object: {why}"))
                .with_code("invalid_json")
        };
        serde_json::from_slice::<IgnoredAny>(body).map_err(|error| refused(error.to_string()))?;
        let text = std::str::from_utf8(body).map_err(|error| refused(error.to_string()))?;
        if u32::try_from(text.len()).is_err() {
            return Err(refused("it is too long".to_owned()));
        }
        let values = index(text.as_bytes())
            .ok_or_else(|| refused(format!("it is nested deeper than {DEPTH} levels")))?;
        let document = Self { text, values };
        if !document.raw(0).starts_with('{') {
            return Err(refused("it is another kind of value".to_owned()));
        }
        Ok(document)
    }

    /// The JSON of a value; number 0 is the whole.
    pub(super) fn raw(&self, at: u32) -> &str {
        let value = &self.values[at as usize];
        &self.text[value.start as usize..value.end as usize]
    }

    /// The values directly within one.
    pub(super) fn within(&self, at: u32) -> impl Iterator<Item = u32> {
        let end = self.values[at as usize].next;
        let first = Some(at + 1).filter(|first| *first < end);
        std::iter::successors(first, move |at| {
            Some(self.values[*at as usize].next).filter(|next| *next < end)
        })
    }
}

/// The values of a valid JSON text; `None` where it goes deeper than [`DEPTH`].
fn index(json: &[u8]) -> Option<Vec<Value>> {
    let mut values: Vec<Value> = Vec::with_capacity(json.len() / 32);
    let (mut open, mut at) = (Vec::new(), 0);
    while let Some(&byte) = json.get(at) {
        let start = at;
        at += 1;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' => continue,
            b'}' | b']' => {
                let next = offset(values.len());
                let value: &mut Value = &mut values[open.pop()?];
                (value.end, value.next) = (offset(at), next);
                continue;
            }
            b'{' | b'[' => {
                open.push(values.len());
                if open.len() > DEPTH {
                    return None;
                }
            }
            b'"' => at = string_end(json, at),
            _ => at = scalar_end(json, at),
        }
        values.push(Value {
            start: offset(start),
            end: offset(at),
            next: offset(values.len() + 1),
        });
    }
    Some(values)
}

/// Places fit, since the text is shorter than 4 GiB and has no more values than bytes.
fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("the length was checked")
}

/// One past the quote that ends the string whose contents begin at `at`.
fn string_end(json: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr::memchr2(b'"', b'\\', json.get(at..).unwrap_or_default()) {
        at += found + 1;
        if json[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    json.len()
}

/// One past the number or word that goes on at `at`.
fn scalar_end(json: &[u8], at: usize) -> usize {
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n');
    at + json[at..].iter().position(ends).unwrap_or(json.len() - at)
}

//! From bare text to JSON.

use serde::de::IgnoredAny;

use super::super::escape::push_quoted;
use super::super::python;
use super::Types;

/// What the beginning of a value tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Start {
    /// It is a string, whatever follows.
    Text,
    /// Its end must be seen first.
    Open,
}

/// Whether a value that begins with `text` is a string for sure: it can go out as it comes then.
pub(in super::super) fn start(types: Types, text: &str) -> Start {
    let others = Types::ANY.contains(types) && types != Types::STRING;
    if types.contains(Types::STRING) && !(others && may_be_json(types, text.trim_start())) {
        Start::Text
    } else {
        Start::Open
    }
}

/// Whether text may become JSON of a type that is no string.
fn may_be_json(types: Types, text: &str) -> bool {
    let word = |word: &str| word.starts_with(&text[..text.len().min(word.len())].to_ascii_lowercase());
    let Some(first) = text.bytes().next() else {
        return true;
    };
    let ended = |len: usize| text.len() <= len || text[len..].trim().is_empty();
    match first {
        b'{' => types.contains(Types::OBJECT),
        b'[' => types.contains(Types::ARRAY),
        b'-' | b'0'..=b'9' => types.contains(Types::NUMBER) && text.trim_end().bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'+' | b'-')),
        _ => false,
    }
}

/// The JSON of a whole value: JSON of the right type stays as it is, Python's literals count too, and the rest is a string.
pub(in super::super) fn convert(types: Types, text: &str) -> String {
    let trimmed = text.trim();
    if fits(types, trimmed) && serde_json::from_str::<IgnoredAny>(trimmed).is_ok() {
        return trimmed.to_owned();
    }
    if let Some(json) = python::literal(trimmed).filter(|json| fits(types, json)) {
        return json;
    }
    let mut json = String::new();
    push_quoted(&mut json, text);
    json
}

//! Finds the few JSON marks that a relay must know, by substring search.
//!
//! Why a search is enough: inside a JSON string every quote is written `\"`. So the raw bytes `"finish_reason":"abort"`
//! cannot lie within a string: its inner quotes would each have a backslash before them. A string may *end* in such a
//! name (`"... \"finish_reason"`), but then a comma or a bracket follows, not a colon. What is found with a colon after
//! it is a key of some object; a bare value (`"content":"error"`) is not, hence each search asks for the colon.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use serde::Deserialize;

use super::counts::Counts;

/// The brace that opens an object.
const OPENING: u8 = 0x7b;

struct Finders {
    done: Finder<'static>,
    error: Finder<'static>,
    finish: Finder<'static>,
    usage: Finder<'static>,
    meta: Finder<'static>,
    message_stop: Finder<'static>,
    response: Finder<'static>,
}

static FINDERS: LazyLock<Finders> = LazyLock::new(|| Finders {
    done: Finder::new("[DONE]"),
    error: Finder::new("\"error\""),
    finish: Finder::new("\"finish_reason\""),
    usage: Finder::new("\"usage\""),
    meta: Finder::new("\"meta_info\""),
    message_stop: Finder::new("\"message_stop\""),
    response: Finder::new("\"response."),
});

/// How far a key and its value may lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// On one line: what lies behind a line break in a stream may belong to another event.
    Line,
    /// Anywhere in the bytes, which are one JSON text, perhaps an indented one.
    Body,
}

impl Extent {
    fn skip_space(self, bytes: &[u8]) -> &[u8] {
        match self {
            Self::Line => trim_spaces_start(bytes),
            Self::Body => bytes.trim_ascii_start(),
        }
    }

    /// `bytes` as far as a value that begins here may reach.
    fn clip(self, bytes: &[u8]) -> &[u8] {
        match self {
            Self::Line => &bytes[..memchr::memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len())],
            Self::Body => bytes,
        }
    }
}

/// How a choice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// A reason that a client may take as an answer's end.
    Regular,
    /// `abort` or `error`: the engine gave up.
    Broken,
}

/// A position within the event that ends the stream: `[DONE]`, the end of a message or of a response.
pub(super) fn end(bytes: &[u8]) -> Option<usize> {
    let is_type = |at: &usize| is_value_of(bytes, *at, b"\"type\"");
    let stopped = FINDERS.message_stop.find_iter(bytes).find(is_type);
    let closing = |at: &usize| {
        let word = &bytes[*at..];
        LAST_OF_RESPONSE.iter().any(|last| word.starts_with(last)) && is_type(at)
    };
    let answered = FINDERS.response.find_iter(bytes).find(closing);
    [done(bytes), stopped, answered].into_iter().flatten().min()
}

/// The types of events that end a response.
const LAST_OF_RESPONSE: [&[u8]; 3] = [
    b"\"response.completed\"",
    b"\"response.incomplete\"",
    b"\"response.failed\"",
];

/// The position of a `data: [DONE]` line. Within content the same six bytes never stand alone on a line, since JSON
/// strings cannot hold a raw line break.
fn done(bytes: &[u8]) -> Option<usize> {
    FINDERS.done.find_iter(bytes).find(|&at| {
        let before = trim_spaces_end(&bytes[..at]);
        let line = before.strip_suffix(b"data:");
        let starts =
            line.is_some_and(|head| matches!(head.last(), None | Some(b'\n' | b'\r' | 0xbf)));
        let after = bytes[at + 6..].iter().find(|b| **b != b' ');
        starts && matches!(after, None | Some(b'\n' | b'\r'))
    })
}

/// Without spaces at the end; line breaks stay, unlike `trim_ascii_end`.
fn trim_spaces_end(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .rposition(|b| *b != b' ')
        .map_or(0, |at| at + 1);
    &bytes[..end]
}

/// Positions that may belong to an error event; [`is_error`] decides.
pub(super) fn error_candidates(bytes: &[u8]) -> impl Iterator<Item = usize> {
    FINDERS.error.find_iter(bytes).filter(|&at| {
        let key = value_after(bytes, at + 7, Extent::Line)
            .is_some_and(|value| !value.starts_with(b"null"));
        key || [&b"\"object\""[..], b"\"type\""]
            .iter()
            .any(|name| is_value_of(bytes, at, name))
    })
}

fn is_value_of(bytes: &[u8], at: usize, name: &[u8]) -> bool {
    let colon = trim_spaces_end(&bytes[..at]).strip_suffix(b":");
    colon.is_some_and(|head| trim_spaces_end(head).ends_with(name))
}

#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow, default)]
    error: Option<&'a serde_json::value::RawValue>,
    #[serde(default)]
    object: Option<serde_json::Value>,
    #[serde(default)]
    r#type: Option<serde_json::Value>,
    #[serde(borrow, default)]
    response: Option<&'a serde_json::value::RawValue>,
}

/// The part of one event's JSON that tells of an engine's failure: all of it, or the response that failed.
pub(super) fn failure(json: &[u8]) -> Option<&[u8]> {
    let probe = serde_json::from_slice::<Probe<'_>>(json).ok()?;
    let response = probe.response.map(|response| response.get().as_bytes());
    let kind = probe.r#type.as_ref().and_then(serde_json::Value::as_str);
    if kind == Some("response.failed") {
        return response.filter(|response| is_error(response));
    }
    probe.is_error().then_some(json)
}

/// Whether the JSON of one event says that the engine failed.
pub(crate) fn is_error(json: &[u8]) -> bool {
    serde_json::from_slice::<Probe<'_>>(json).is_ok_and(|probe| probe.is_error())
}

impl Probe<'_> {
    fn is_error(&self) -> bool {
        let said = |field: &Option<serde_json::Value>| {
            field.as_ref().and_then(serde_json::Value::as_str) == Some("error")
        };
        let filled = self
            .error
            .is_some_and(|raw| !matches!(raw.get(), "null" | "false" | "\"\"" | "{}"));
        filled || said(&self.object) || said(&self.r#type)
    }
}

/// Reasons of an engine that gave up: vLLM's and SGLang's, and TensorRT-LLM's.
const GIVEN_UP: [&[u8]; 4] = [b"\"abort\"", b"\"error\"", b"\"cancelled\"", b"\"timeout\""];

/// Endings of choices with their positions; choices that go on (`null`) are left out.
pub(crate) fn endings(bytes: &[u8], extent: Extent) -> impl Iterator<Item = (usize, Ending)> {
    FINDERS.finish.find_iter(bytes).filter_map(move |at| {
        let value = value_after(bytes, at + 15, extent)?;
        let reason = match *value.first()? {
            b'"' => value,
            // SGLang's native route: {"type":"abort",...}.
            OPENING => value_after(value, type_key(value, extent)? + 6, extent)?,
            _ => return None,
        };
        let broken = GIVEN_UP.iter().any(|word| reason.starts_with(word));
        Some((
            at,
            if broken {
                Ending::Broken
            } else {
                Ending::Regular
            },
        ))
    })
}

/// The place of `"type"` near the start of a finish reason that is an object.
fn type_key(value: &[u8], extent: Extent) -> Option<usize> {
    memmem::find(extent.clip(&value[..value.len().min(64)]), b"\"type\"")
}

/// All counts in a stream's whole events, the last word on each.
pub(super) fn counts(bytes: &[u8]) -> Option<Counts> {
    let told = all_counts(bytes, Extent::Line);
    told.fold(None, |sum: Option<Counts>, now| {
        let mut sum = sum.unwrap_or_default();
        sum.update(now);
        Some(sum)
    })
}

/// The counts of one whole reply: what comes last, since a tool's input before it may hold whatever a model wrote.
pub(crate) fn last_counts(bytes: &[u8]) -> Option<Counts> {
    all_counts(bytes, Extent::Body).last()
}

fn all_counts(bytes: &[u8], extent: Extent) -> impl Iterator<Item = Counts> {
    let native = objects(bytes, &FINDERS.meta, extent);
    let usages = objects(bytes, &FINDERS.usage, extent);
    native.chain(usages).filter_map(Counts::read)
}

/// The objects that are values of `key`.
fn objects<'a>(
    bytes: &'a [u8],
    key: &'static Finder<'static>,
    extent: Extent,
) -> impl Iterator<Item = &'a [u8]> {
    let values = key
        .find_iter(bytes)
        .filter_map(move |at| value_after(bytes, at + key.needle().len(), extent));
    values
        .filter(|value| value.first() == Some(&OPENING))
        .map(move |value| extent.clip(value))
}

/// Keys whose non-empty value is a token for the client.
const CONTENT_KEYS: [&[u8]; 11] = [
    b"\"content\"",
    b"\"text\"",
    b"\"reasoning\"",
    b"\"reasoning_content\"",
    b"\"tool_calls\"",
    b"\"token_ids\"",
    b"\"refusal\"",
    b"\"output_ids\"",
    b"\"thinking\"",
    b"\"partial_json\"",
    b"\"delta\"",
];

/// Whether some event here carries something generated, as against a role or a sign of life.
pub(super) fn has_content(bytes: &[u8]) -> bool {
    CONTENT_KEYS.iter().any(|key| {
        memmem::find_iter(bytes, key).any(|at| {
            let value = value_after(bytes, at + key.len(), Extent::Line).unwrap_or_default();
            match value {
                [b'"', second, ..] => *second != b'"',
                [b'[', rest @ ..] => !trim_spaces_start(rest).starts_with(b"]"),
                _ => false,
            }
        })
    })
}

/// What follows the colon after a key that ends at `at`; `None` when no colon follows: then it was no key.
fn value_after(bytes: &[u8], at: usize, extent: Extent) -> Option<&[u8]> {
    let rest = extent.skip_space(bytes.get(at..)?);
    Some(extent.skip_space(rest.strip_prefix(b":")?))
}

fn trim_spaces_start(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| *b != b' ').unwrap_or(bytes.len());
    &bytes[start..]
}

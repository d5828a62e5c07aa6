//! Finds the few JSON marks that a relay must know, by substring search.
//!
//! Why a search is enough: inside a JSON string every quote is written `\"`. So the raw bytes `"finish_reason":"abort"`
//! cannot lie within a string: its inner quotes would each have a backslash before them. A string may *end* in such a
//! name (`"... \"finish_reason"`), but then a comma or a bracket follows, not a colon. What is found with a colon after
//! it is a key of some object; a bare value (`"content":"error"`) is not, hence each search asks for the colon.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};
use serde::Deserialize;

use crate::ir::Usage;

/// The brace that opens an object.
const OPENING: u8 = 0x7b;

struct Finders {
    done: Finder<'static>,
    error: Finder<'static>,
    finish: Finder<'static>,
    usage: Finder<'static>,
}

static FINDERS: LazyLock<Finders> = LazyLock::new(|| Finders {
    done: Finder::new("[DONE]"),
    error: Finder::new("\"error\""),
    finish: Finder::new("\"finish_reason\""),
    usage: Finder::new("\"usage\""),
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

/// The position of a `data: [DONE]` line. Within content the same six bytes never stand alone on a line, since JSON
/// strings cannot hold a raw line break.
pub(super) fn done(bytes: &[u8]) -> Option<usize> {
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
}

/// Whether the JSON of one event says that the engine failed.
pub(crate) fn is_error(json: &[u8]) -> bool {
    let Ok(probe) = serde_json::from_slice::<Probe<'_>>(json) else {
        return false;
    };
    let said = |field: &Option<serde_json::Value>| {
        field.as_ref().and_then(serde_json::Value::as_str) == Some("error")
    };
    let filled = probe
        .error
        .is_some_and(|raw| !matches!(raw.get(), "null" | "false" | "\"\"" | "{}"));
    filled || said(&probe.object) || said(&probe.r#type)
}

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
        let broken = reason.starts_with(b"\"abort\"") || reason.starts_with(b"\"error\"");
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

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<WireDetails>,
}

#[derive(Deserialize)]
struct WireDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

/// The last usage object that makes sense; numbers are parsed only where there is one.
pub(crate) fn usage(bytes: &[u8], extent: Extent) -> Option<Usage> {
    FINDERS
        .usage
        .find_iter(bytes)
        .filter_map(|at| {
            value_after(bytes, at + 7, extent).filter(|value| value.first() == Some(&OPENING))
        })
        .filter_map(|value| usage_object(extent.clip(value)))
        .last()
}

fn usage_object(value: &[u8]) -> Option<Usage> {
    let mut objects = serde_json::Deserializer::from_slice(value).into_iter::<WireUsage>();
    let wire = objects.next()?.ok()?;
    Some(Usage {
        prompt_tokens: wire.prompt_tokens?,
        completion_tokens: wire.completion_tokens.unwrap_or(0),
        cached_tokens: wire
            .prompt_tokens_details
            .and_then(|details| details.cached_tokens),
        reasoning_tokens: None,
    })
}

/// Keys whose non-empty value is a token for the client.
const CONTENT_KEYS: [&[u8]; 7] = [
    b"\"content\"",
    b"\"text\"",
    b"\"reasoning\"",
    b"\"reasoning_content\"",
    b"\"tool_calls\"",
    b"\"token_ids\"",
    b"\"refusal\"",
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

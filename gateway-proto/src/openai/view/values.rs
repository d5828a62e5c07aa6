//! Typed values of known fields. `null` counts as absent in each.

use std::ops::RangeInclusive;

use super::scanner::Scanner;
use super::{JsonKind, RequestError, Span};

/// The error for a value of the wrong type.
pub(super) fn wrong(
    path: impl Into<String>,
    expected: &'static str,
    found: JsonKind,
) -> RequestError {
    RequestError::Type {
        path: path.into(),
        expected,
        found,
    }
}

fn present(
    scanner: &mut Scanner<'_>,
    path: &str,
    want: JsonKind,
    expected: &'static str,
) -> Result<bool, RequestError> {
    match scanner.kind()? {
        JsonKind::Null => scanner.literal("null").map(|()| false),
        found if found == want => Ok(true),
        found => Err(wrong(path, expected, found)),
    }
}

/// A boolean.
pub(super) fn boolean(scanner: &mut Scanner<'_>, path: &str) -> Result<Option<bool>, RequestError> {
    if !present(scanner, path, JsonKind::Bool, "a boolean")? {
        return Ok(None);
    }
    let value = scanner.peek()? == b't';
    scanner.literal(if value { "true" } else { "false" })?;
    Ok(Some(value))
}

/// A string, as the place of its contents.
pub(super) fn string(scanner: &mut Scanner<'_>, path: &str) -> Result<Option<Span>, RequestError> {
    if !present(scanner, path, JsonKind::String, "a string")? {
        return Ok(None);
    }
    scanner.string().map(Some)
}

/// A whole number within `range`.
pub(super) fn integer(
    scanner: &mut Scanner<'_>,
    path: &str,
    range: RangeInclusive<i64>,
) -> Result<Option<i64>, RequestError> {
    if !present(scanner, path, JsonKind::Number, "an integer")? {
        return Ok(None);
    }
    let span = scanner.number()?;
    let raw = scanner.slice(span);
    if raw.iter().any(|b| matches!(b, b'.' | b'e' | b'E')) {
        return Err(wrong(path, "an integer", JsonKind::Number));
    }
    let value = number_text(raw)
        .parse()
        .ok()
        .filter(|value| range.contains(value));
    value.map(Some).ok_or_else(|| {
        let (low, high) = range.into_inner();
        let expected = match (low, high) {
            (i64::MIN, _) => "an integer of 64 bits".to_owned(),
            (low, i64::MAX) => format!("an integer of at least {low}"),
            _ => format!("an integer from {low} to {high}"),
        };
        RequestError::Range {
            path: path.to_owned(),
            expected,
        }
    })
}

/// A number within `range`; only checked, nobody routes by it.
pub(super) fn check_number(
    scanner: &mut Scanner<'_>,
    path: &str,
    range: RangeInclusive<f64>,
) -> Result<(), RequestError> {
    if !present(scanner, path, JsonKind::Number, "a number")? {
        return Ok(());
    }
    let span = scanner.number()?;
    let value: Option<f64> = number_text(scanner.slice(span)).parse().ok();
    if value.is_some_and(|value| range.contains(&value)) {
        return Ok(());
    }
    let expected = format!("a number from {} to {}", range.start(), range.end());
    Err(RequestError::Range {
        path: path.to_owned(),
        expected,
    })
}

/// A value of one of two types, which nobody reads.
pub(super) fn either(
    scanner: &mut Scanner<'_>,
    path: &str,
    kinds: [JsonKind; 2],
    expected: &'static str,
) -> Result<(), RequestError> {
    match scanner.kind()? {
        JsonKind::Null => scanner.literal("null"),
        found if kinds.contains(&found) => scanner.skip().map(drop),
        found => Err(wrong(path, expected, found)),
    }
}

/// A value that may be anything but must have the type `want` or be null; gives its bytes.
pub(super) fn nested(
    scanner: &mut Scanner<'_>,
    path: &str,
    want: JsonKind,
    expected: &'static str,
) -> Result<Option<Span>, RequestError> {
    if !present(scanner, path, want, expected)? {
        return Ok(None);
    }
    scanner.skip().map(Some)
}

fn number_text(raw: &[u8]) -> &str {
    std::str::from_utf8(raw).expect("a scanned number is ASCII")
}

//! The `messages` of a chat request: checked, counted, not kept.

use super::scanner::{Scanner, decode_string};
use super::values::wrong;
use super::{JsonKind, RequestError};

/// Consumes `messages`; gives how many there are.
pub(super) fn messages(scanner: &mut Scanner<'_>) -> Result<usize, RequestError> {
    match scanner.kind()? {
        JsonKind::Array => scanner.enter()?,
        found => return Err(wrong("messages", "an array of objects", found)),
    }
    let mut count = 0;
    while scanner.next_element(count == 0)? {
        message(scanner, count)?;
        count += 1;
    }
    if count == 0 {
        return Err(RequestError::Empty {
            path: "messages".to_owned(),
        });
    }
    Ok(count)
}

fn message(scanner: &mut Scanner<'_>, index: usize) -> Result<(), RequestError> {
    match scanner.kind()? {
        JsonKind::Object => scanner.enter()?,
        found => return Err(wrong(format!("messages[{index}]"), "an object", found)),
    }
    let (mut first, mut has_role, mut has_content) = (true, false, false);
    while let Some(key) = scanner.next_key(first)? {
        first = false;
        let raw = scanner.slice(key);
        match decode_string(raw).as_deref() {
            Some("role") => {
                once(&mut has_role, "messages[].role")?;
                role(scanner, index)?;
            }
            Some("content") => {
                once(&mut has_content, "messages[].content")?;
                content(scanner, index)?;
            }
            _ => drop(scanner.skip()?),
        }
    }
    if has_role {
        Ok(())
    } else {
        Err(RequestError::Missing {
            path: format!("messages[{index}].role"),
        })
    }
}

fn once(seen: &mut bool, key: &'static str) -> Result<(), RequestError> {
    if std::mem::replace(seen, true) {
        Err(RequestError::Duplicate { key })
    } else {
        Ok(())
    }
}

fn role(scanner: &mut Scanner<'_>, index: usize) -> Result<(), RequestError> {
    let path = || format!("messages[{index}].role");
    match scanner.kind()? {
        JsonKind::String if scanner.string()?.is_empty() => {
            Err(RequestError::Empty { path: path() })
        }
        JsonKind::String => Ok(()),
        found => Err(wrong(path(), "a string", found)),
    }
}

fn content(scanner: &mut Scanner<'_>, index: usize) -> Result<(), RequestError> {
    match scanner.kind()? {
        JsonKind::String => scanner.string().map(drop),
        JsonKind::Null => scanner.literal("null"),
        JsonKind::Array => parts(scanner, index),
        found => Err(wrong(
            format!("messages[{index}].content"),
            "a string or an array of content parts",
            found,
        )),
    }
}

/// Content parts are objects; some engines take plain strings as well.
fn parts(scanner: &mut Scanner<'_>, index: usize) -> Result<(), RequestError> {
    scanner.enter()?;
    let mut count = 0;
    while scanner.next_element(count == 0)? {
        match scanner.kind()? {
            JsonKind::Object | JsonKind::String => drop(scanner.skip()?),
            found => {
                return Err(wrong(
                    format!("messages[{index}].content[{count}]"),
                    "an object",
                    found,
                ));
            }
        }
        count += 1;
    }
    Ok(())
}

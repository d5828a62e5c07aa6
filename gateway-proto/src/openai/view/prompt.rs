//! A prompt in all its forms: one text, several, or token ids.

use super::scanner::Scanner;
use super::values::wrong;
use super::{JsonKind, PromptShape, RequestError};

const EXPECTED: &str = "a string, an array of strings, or an array of token ids";

/// A prompt's form, and its length where it is given in tokens.
pub(super) struct Prompt {
    pub(super) shape: PromptShape,
    pub(super) tokens: Option<u64>,
}

/// Consumes a prompt, which is called `name` in errors.
pub(super) fn prompt(scanner: &mut Scanner<'_>, name: &str) -> Result<Prompt, RequestError> {
    match scanner.kind()? {
        JsonKind::String => {
            scanner.string()?;
            Ok(Prompt {
                shape: PromptShape::Text,
                tokens: None,
            })
        }
        JsonKind::Array => list(scanner, name),
        found => Err(wrong(name, EXPECTED, found)),
    }
}

fn list(scanner: &mut Scanner<'_>, name: &str) -> Result<Prompt, RequestError> {
    scanner.enter()?;
    if !scanner.next_element(true)? {
        return Err(RequestError::Empty {
            path: name.to_owned(),
        });
    }
    match scanner.kind()? {
        JsonKind::String => texts(scanner, name),
        JsonKind::Number => {
            let count = token_ids(scanner, name)?;
            Ok(Prompt {
                shape: PromptShape::TokenIds { count },
                tokens: Some(count as u64),
            })
        }
        JsonKind::Array => token_lists(scanner, name),
        found => Err(wrong(format!("{name}[0]"), EXPECTED, found)),
    }
}

fn texts(scanner: &mut Scanner<'_>, name: &str) -> Result<Prompt, RequestError> {
    let mut count = 0;
    loop {
        match scanner.kind()? {
            JsonKind::String => scanner.string()?,
            found => return Err(wrong(format!("{name}[{count}]"), "a string", found)),
        };
        count += 1;
        if !scanner.next_element(false)? {
            return Ok(Prompt {
                shape: PromptShape::Texts { count },
                tokens: None,
            });
        }
    }
}

fn token_lists(scanner: &mut Scanner<'_>, name: &str) -> Result<Prompt, RequestError> {
    let (mut count, mut tokens) = (0, 0);
    loop {
        match scanner.kind()? {
            JsonKind::Array => scanner.enter()?,
            found => {
                return Err(wrong(
                    format!("{name}[{count}]"),
                    "an array of token ids",
                    found,
                ));
            }
        }
        if !scanner.next_element(true)? {
            return Err(RequestError::Empty {
                path: format!("{name}[{count}]"),
            });
        }
        tokens += token_ids(scanner, &format!("{name}[{count}]"))? as u64;
        count += 1;
        if !scanner.next_element(false)? {
            return Ok(Prompt {
                shape: PromptShape::TokenIdLists { count },
                tokens: Some(tokens),
            });
        }
    }
}

/// Token ids up to the end of the array, which stands at its first element; gives how many.
fn token_ids(scanner: &mut Scanner<'_>, name: &str) -> Result<usize, RequestError> {
    let path = |index: usize| format!("{name}[{index}]");
    let mut count = 0;
    loop {
        match scanner.kind()? {
            JsonKind::Number => {
                let span = scanner.number()?;
                let text = std::str::from_utf8(scanner.slice(span)).unwrap_or_default();
                if text.parse::<u32>().is_err() {
                    return Err(RequestError::Range {
                        path: path(count),
                        expected: "a token id of 32 bits".to_owned(),
                    });
                }
            }
            found => return Err(wrong(path(count), "a token id", found)),
        }
        count += 1;
        if !scanner.next_element(false)? {
            return Ok(count);
        }
    }
}

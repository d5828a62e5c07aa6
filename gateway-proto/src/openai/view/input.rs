//! What a model reads, on each route.

use super::keys::Key;
use super::messages::messages;
use super::prompt::{Prompt, prompt};
use super::scanner::Scanner;
use super::values::wrong;
use super::{Api, JsonKind, PromptShape, RequestError, Span};

/// What was found.
pub(super) struct Input {
    pub(super) span: Span,
    pub(super) shape: PromptShape,
    /// Its length where it is given in tokens.
    pub(super) tokens: Option<u64>,
}

/// Consumes the value of `key`; `null` where it may be left out is `None`.
pub(super) fn input(
    scanner: &mut Scanner<'_>,
    key: Key,
    api: Api,
) -> Result<Option<Input>, RequestError> {
    let optional = !matches!(key, Key::Messages | Key::Prompt);
    if optional && scanner.kind()? == JsonKind::Null {
        return scanner.literal("null").map(|()| None);
    }
    scanner.peek()?;
    let start = scanner.pos();
    let found = match key {
        Key::Messages => untyped(PromptShape::Messages {
            count: messages(scanner)?,
        }),
        Key::Input if api == Api::Responses => untyped(items(scanner)?),
        Key::Documents | Key::Items | Key::Text2 | Key::Data2 => {
            untyped(documents(scanner, key.name())?)
        }
        _ => tokens_or_text(scanner, key)?,
    };
    let span = Span {
        start,
        end: scanner.pos(),
    };
    Ok(Some(Input {
        span,
        shape: found.shape,
        tokens: found.tokens,
    }))
}

fn untyped(shape: PromptShape) -> Prompt {
    Prompt {
        shape,
        tokens: None,
    }
}

fn tokens_or_text(scanner: &mut Scanner<'_>, key: Key) -> Result<Prompt, RequestError> {
    let kind = scanner.kind()?;
    let found = prompt(scanner, key.name())?;
    let is_text = matches!(found.shape, PromptShape::Text | PromptShape::Texts { .. });
    let is_one_list = matches!(found.shape, PromptShape::TokenIds { .. });
    let (fits, expected) = match key {
        Key::Text => (is_text, "a string or an array of strings"),
        Key::InputIds => (!is_text, "an array of token ids or an array of such arrays"),
        Key::TokenIds | Key::Tokens => (is_one_list, "an array of token ids"),
        _ => (true, ""),
    };
    if fits {
        Ok(found)
    } else {
        Err(wrong(key.name(), expected, kind))
    }
}

/// The input of a response: a text, or items.
fn items(scanner: &mut Scanner<'_>) -> Result<PromptShape, RequestError> {
    match scanner.kind()? {
        JsonKind::String => return scanner.string().map(|_| PromptShape::Text),
        JsonKind::Array => {}
        found => return Err(wrong("input", "a string or an array of items", found)),
    }
    let count = elements(scanner, "input", &[JsonKind::Object], "an object")?;
    Ok(PromptShape::Messages { count })
}

/// Texts to be ranked or scored; objects stand for texts with images, lists for token ids.
fn documents(scanner: &mut Scanner<'_>, path: &str) -> Result<PromptShape, RequestError> {
    const KINDS: [JsonKind; 3] = [JsonKind::String, JsonKind::Object, JsonKind::Array];
    match scanner.kind()? {
        JsonKind::String => scanner.string().map(|_| PromptShape::Text),
        JsonKind::Object => scanner.skip().map(|_| PromptShape::Texts { count: 1 }),
        JsonKind::Array => {
            let count = elements(scanner, path, &KINDS, "a string or an object")?;
            if count == 0 {
                return Err(RequestError::Empty {
                    path: path.to_owned(),
                });
            }
            Ok(PromptShape::Texts { count })
        }
        found => Err(wrong(path, "an array of strings", found)),
    }
}

/// What the documents are compared with: a text, several, or an object.
pub(super) fn query(scanner: &mut Scanner<'_>, path: &str) -> Result<bool, RequestError> {
    match scanner.kind()? {
        JsonKind::Null => scanner.literal("null").map(|()| false),
        JsonKind::String | JsonKind::Object | JsonKind::Array => scanner.skip().map(|_| true),
        found => Err(wrong(path, "a string", found)),
    }
}

fn elements(
    scanner: &mut Scanner<'_>,
    path: &str,
    kinds: &[JsonKind],
    expected: &'static str,
) -> Result<usize, RequestError> {
    scanner.enter()?;
    let mut count = 0;
    while scanner.next_element(count == 0)? {
        let found = scanner.kind()?;
        if !kinds.contains(&found) {
            return Err(wrong(format!("{path}[{count}]"), expected, found));
        }
        scanner.skip()?;
        count += 1;
    }
    Ok(count)
}

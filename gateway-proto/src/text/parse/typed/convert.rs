//! From bare text to JSON.

use serde::de::IgnoredAny;

use super::super::escape::push_quoted;
use super::super::python;
use super::Types;

/// Whether a value that begins with `text` is a string for sure, so that it can go out as it comes. Types that are no
/// strings wait for their end.
pub(in super::super) fn is_text(types: Types, text: &str) -> bool {
    types.contains(Types::STRING) && (types == Types::STRING || !may_be_other(types, text.trim()))
}

/// Whether text, spaces around it gone, may become a value of a type that is no string.
fn may_be_other(types: Types, text: &str) -> bool {
    let word = |word: &str| word.starts_with(&text.to_ascii_lowercase());
    match text.as_bytes().first() {
        None => true,
        Some(b'{') => types.contains(Types::OBJECT),
        Some(b'[' | b'(') => types.contains(Types::ARRAY),
        Some(b'-' | b'+' | b'.' | b'0'..=b'9') => {
            types.contains(Types::NUMBER)
                && text.len() <= python::LONGEST_NUMBER
                && text.chars().all(python::in_number)
        }
        Some(_) => {
            (types.contains(Types::NULL) && (word("null") || word("none")))
                || (types.contains(Types::BOOLEAN) && (word("true") || word("false")))
        }
    }
}

/// The JSON of a whole value: JSON stays as it is, Python's literals count too, and everything else is a string. Where the
/// value may be a string, the others must be of a type that it may have.
pub(in super::super) fn convert(types: Types, text: &str) -> String {
    if !is_text(types, text) {
        let trimmed = text.trim();
        if fits(types, trimmed) && serde_json::from_str::<IgnoredAny>(trimmed).is_ok() {
            return trimmed.to_owned();
        }
        let literal = python::literal(trimmed).filter(|json| fits(types, json));
        if let Some(json) = literal {
            return json;
        }
    }
    let mut json = String::new();
    push_quoted(&mut json, text);
    json
}

/// Whether JSON is of a type that the value may have.
fn fits(types: Types, json: &str) -> bool {
    let found = match json.as_bytes().first() {
        Some(b'{') => Types::OBJECT,
        Some(b'[') => Types::ARRAY,
        Some(b'"') => Types::STRING,
        Some(b't' | b'f') => Types::BOOLEAN,
        Some(b'n') => Types::NULL,
        _ => Types::NUMBER,
    };
    let strings = types.contains(Types::STRING);
    !strings || (found != Types::STRING && types.contains(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_by_type() {
        let number_or_text = Types::NUMBER.or(Types::STRING);
        let cases = [
            (Types::NUMBER, " 5 ", "5"),
            (Types::NUMBER, "five", "\"five\""),
            (Types::NUMBER, "\"5\"", "\"5\""),
            (Types::BOOLEAN, "True", "true"),
            (Types::OBJECT, "{'a': None}", "{\"a\": null}"),
            (Types::OBJECT, "{\"a\": 1e2}", "{\"a\": 1e2}"),
            (Types::OBJECT, "{\"a\": }", "\"{\\\"a\\\": }\""),
            (Types::STRING, "5", "\"5\""),
            (number_or_text, "5", "5"),
            (number_or_text, "5 apples", "\"5 apples\""),
            (number_or_text, "[5]", "\"[5]\""),
            (Types::STRING.or(Types::NULL), "null", "null"),
            (Types::STRING.or(Types::NULL), "nullify", "\"nullify\""),
            (Types::ANY, "\"x\"", "\"\\\"x\\\"\""),
            (Types::ANY, "", "\"\""),
        ];
        for (types, text, json) in cases {
            assert_eq!(convert(types, text), json, "{text}");
        }
    }

    #[test]
    fn a_prefix_that_is_text_stays_text() {
        for types in [
            Types::ANY,
            Types::STRING.or(Types::NULL),
            Types::NUMBER.or(Types::STRING),
        ] {
            for text in [
                "nullify",
                "5 apples",
                "[x",
                "true story",
                "-",
                "None ",
                "{'a'",
            ] {
                let first = (0..=text.len()).find(|end| is_text(types, &text[..*end]));
                for end in first.unwrap_or(text.len() + 1)..=text.len() {
                    assert!(is_text(types, &text[..end]), "{text}: {end}");
                }
            }
        }
    }
}

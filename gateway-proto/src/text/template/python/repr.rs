//! How values print: `str` at the top, `repr` inside lists and dictionaries.

use std::fmt::{self, Write};

use minijinja::value::{Value, ValueKind};

use super::number::float_text;

/// As `str(value)`.
pub(in super::super) fn write_str(f: &mut impl Write, value: &Value) -> fmt::Result {
    match value.as_str() {
        Some(text) => f.write_str(text),
        None if value.is_undefined() => Ok(()),
        None => write_repr(f, value),
    }
}

/// As `repr(value)`.
pub(super) fn write_repr(f: &mut impl Write, value: &Value) -> fmt::Result {
    match value.kind() {
        ValueKind::String => quote(f, value.as_str().unwrap_or_default()),
        ValueKind::Undefined => f.write_str("Undefined"),
        ValueKind::Number if !value.is_integer() => match f64::try_from(value.clone()) {
            Ok(number) => f.write_str(&float_text(number)),
            Err(_) => write!(f, "{value}"),
        },
        ValueKind::Seq => {
            let (open, close) = if value.is_tuple() {
                ("(", ")")
            } else {
                ("[", "]")
            };
            write_items(f, open, close, value.try_iter().into_iter().flatten())
        }
        ValueKind::Map => match value.as_object().and_then(|object| object.try_iter_pairs()) {
            Some(pairs) => write_pairs(f, pairs),
            None => write!(f, "{value}"),
        },
        _ => write!(f, "{value}"),
    }
}

pub(super) fn write_items(
    f: &mut impl Write,
    open: &str,
    close: &str,
    items: impl Iterator<Item = Value>,
) -> fmt::Result {
    f.write_str(open)?;
    let mut count = 0;
    for item in items {
        if count > 0 {
            f.write_str(", ")?;
        }
        write_repr(f, &item)?;
        count += 1;
    }
    if count == 1 && open == "(" {
        f.write_str(",")?;
    }
    f.write_str(close)
}

pub(super) fn write_pairs(
    f: &mut impl Write,
    pairs: impl Iterator<Item = (Value, Value)>,
) -> fmt::Result {
    f.write_str("{")?;
    for (at, (key, value)) in pairs.enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        write_repr(f, &key)?;
        f.write_str(": ")?;
        write_repr(f, &value)?;
    }
    f.write_str("}")
}

fn quote(f: &mut impl Write, text: &str) -> fmt::Result {
    let mark = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    f.write_char(mark)?;
    for c in text.chars() {
        match c {
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\\' => f.write_str("\\\\")?,
            c if c == mark => write!(f, "\\{c}")?,
            c if is_printable(c) => f.write_char(c)?,
            c => write_code(f, u32::from(c))?,
        }
    }
    f.write_char(mark)
}

fn write_code(f: &mut impl Write, code: u32) -> fmt::Result {
    match code {
        0..=0xff => write!(f, "\\x{code:02x}"),
        0x100..=0xffff => write!(f, "\\u{code:04x}"),
        _ => write!(f, "\\U{code:08x}"),
    }
}

/// Python's `str.isprintable` for one character.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // Behind another character, as combining marks alone would be escaped.
    let mut after = [0; 5];
    after[0] = b'a';
    let size = 1 + c.encode_utf8(&mut after[1..]).len();
    let text = std::str::from_utf8(&after[..size]).unwrap_or_default();
    !c.is_whitespace() && !text.escape_debug().any(|c| c == '\\')
}

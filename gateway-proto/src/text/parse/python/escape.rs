//! Backslashes in string literals.

use std::fmt::Write as _;

use super::super::ahead::{Ahead, Miss, Seen};
use super::super::escape::push_escaped;

/// Takes one escape, its backslash first, and appends what it means as inside a JSON string.
///
/// What Python does not know keeps its backslash, as there. Halves of surrogate pairs stay `\u` escapes, which JSON puts
/// together.
pub(super) fn take(ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
    ahead.literal("\\")?;
    let kind = ahead.peek()?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '0'..='7' => return octal(ahead, json),
        _ => {
            match simple(kind) {
                Some(meaning) => {
                    ahead.skip(kind.len_utf8());
                    push_escaped(json, meaning);
                }
                None => json.push_str("\\\\"),
            }
            return Ok(());
        }
    };
    match hex(&ahead.rest()[1..], digits)? {
        Some(code) => {
            push_code(json, code);
            ahead.skip(1 + digits);
        }
        None => json.push_str("\\\\"),
    }
    Ok(())
}

fn simple(kind: char) -> Option<&'static str> {
    Some(match kind {
        '\n' => "",
        '\\' => "\\",
        '\'' => "'",
        '"' => "\"",
        'a' => "\u{7}",
        'b' => "\u{8}",
        'f' => "\u{c}",
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        'v' => "\u{b}",
        _ => return None,
    })
}

/// The value of `count` digits at the beginning of `text`; none where those are no digits or no character.
fn hex(text: &str, count: usize) -> Seen<Option<u32>> {
    let digits = text
        .bytes()
        .take(count)
        .take_while(u8::is_ascii_hexdigit)
        .count();
    if digits < count {
        return if digits == text.len() {
            Err(Miss::More)
        } else {
            Ok(None)
        };
    }
    let code = u32::from_str_radix(&text[..count], 16).expect("eight digits at most");
    Ok((code <= u32::from(char::MAX)).then_some(code))
}

fn octal(ahead: &mut Ahead<'_>, json: &mut String) -> Seen<()> {
    let rest = ahead.rest();
    let digits = rest
        .bytes()
        .take(3)
        .take_while(|b| (b'0'..=b'7').contains(b))
        .count();
    if digits < 3 && digits == rest.len() {
        return Err(Miss::More);
    }
    push_code(
        json,
        u32::from_str_radix(&rest[..digits], 8).expect("three digits at most"),
    );
    ahead.skip(digits);
    Ok(())
}

fn push_code(json: &mut String, code: u32) {
    match char::from_u32(code) {
        Some(c) => push_escaped(json, c.encode_utf8(&mut [0; 4])),
        None => write!(json, "\\u{code:04x}").expect("a String takes everything"),
    }
}

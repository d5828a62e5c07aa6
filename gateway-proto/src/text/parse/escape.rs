//! JSON strings, written as their content arrives.

use std::fmt::Write as _;

/// Appends `text` as it stands inside a JSON string. Pieces escaped one by one make up the whole escaped at once.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c < ' ' || c == '"' || c == '\\') {
        out.push_str(&rest[..at]);
        push_escape(out, rest.as_bytes()[at]);
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// Appends `text` as a JSON string.
pub(super) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text);
    out.push('"');
}

fn push_escape(out: &mut String, byte: u8) {
    let short = match byte {
        b'"' => '"',
        b'\\' => '\\',
        b'\n' => 'n',
        b'\r' => 'r',
        b'\t' => 't',
        0x08 => 'b',
        0x0c => 'f',
        _ => {
            write!(out, "\\u{byte:04x}").expect("a String takes everything");
            return;
        }
    };
    out.push('\\');
    out.push(short);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_make_up_what_serde_writes(a in any::<String>(), b in "[\\x00-\\x7f]{0,20}") {
            let mut pieces = String::new();
            push_escaped(&mut pieces, &a);
            push_escaped(&mut pieces, &b);
            let whole = serde_json::to_string(&format!("{a}{b}")).expect("a string");
            prop_assert_eq!(format!("\"{pieces}\""), whole);
        }
    }
}

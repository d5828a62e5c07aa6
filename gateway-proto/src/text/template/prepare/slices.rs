//! `value[a:b:c]` as a method call.

use super::scan::string_end;
use crate::text::template::python::SLICE;

/// An open bracket in what was written.
struct Bracket {
    open: u8,
    at: usize,
    colons: Vec<usize>,
}

/// Rewrites the slices of one tag.
pub(super) fn rewrite(code: &str) -> String {
    let bytes = code.as_bytes();
    let mut out = String::with_capacity(code.len() + 32);
    let mut brackets: Vec<Bracket> = Vec::new();
    let (mut copied, mut at) = (0, 2);
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b'"' | b'\'' => at = string_end(bytes, at),
            b'(' | b'[' | b'{' | b')' | b']' | b'}' | b':' => {
                out.push_str(&code[copied..at]);
                copied = at + 1;
                bracket(byte, &mut out, &mut brackets);
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(&code[copied..]);
    out
}

fn bracket(byte: u8, out: &mut String, brackets: &mut Vec<Bracket>) {
    match byte {
        b':' => {
            if let Some(bracket) = brackets.last_mut() {
                bracket.colons.push(out.len());
            }
        }
        b'(' | b'[' | b'{' => brackets.push(Bracket {
            open: byte,
            at: out.len(),
            colons: Vec::new(),
        }),
        _ => {
            let closed = brackets.pop();
            if let Some(slice) = closed.filter(|b| byte == b']' && b.open == b'[')
                && matches!(slice.colons.len(), 1 | 2)
            {
                write_slice(out, &slice);
                return;
            }
        }
    }
    out.push(char::from(byte));
}

fn write_slice(out: &mut String, slice: &Bracket) {
    let inside = out.split_off(slice.at);
    let mut from = 1;
    let mut parts = Vec::with_capacity(3);
    for colon in &slice.colons {
        let colon = colon - slice.at;
        parts.push(&inside[from..colon]);
        from = colon + 1;
    }
    parts.push(&inside[from..]);
    let or_none = |part: &&str| {
        if part.trim().is_empty() {
            format!("{part}none")
        } else {
            (*part).to_owned()
        }
    };
    let arguments: Vec<String> = parts.iter().map(or_none).collect();
    for piece in [".", SLICE, "(", &arguments.join(","), ")"] {
        out.push_str(piece);
    }
}

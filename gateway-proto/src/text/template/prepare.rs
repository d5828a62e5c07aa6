//! Sources made ready for the template engine.
//!
//! Two things of Jinja as chat templates use it are missing there or differ, and are written in other words, line by line
//! the same:
//!
//! * `value[a:b:c]` becomes a method call, as the engine's own slices give no lists and fail on empty ones;
//! * `{% generation %}` blocks, which mark the assistant's words for training, become `{% with %}` blocks.

use std::borrow::Cow;

use super::python::SLICE;

/// Rewrites a source.
pub(super) fn prepare(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 64);
    let mut rest = source;
    while let Some(open) = find_open(rest) {
        out.push_str(&rest[..open]);
        let code = &rest[open..];
        let size = match code.as_bytes()[1] {
            b'#' => code.find("#}").map_or(code.len(), |at| at + 2),
            _ => match raw_block(code) {
                Some(size) => size,
                None => {
                    let size = code_size(code);
                    out.push_str(&rewrite(&code[..size]));
                    rest = &code[size..];
                    continue;
                }
            },
        };
        out.push_str(&code[..size]);
        rest = &code[size..];
    }
    out.push_str(rest);
    out
}

/// Where `{{`, `{%` or `{#` stands next.
fn find_open(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'{', bytes)
        .find(|at| matches!(bytes.get(at + 1), Some(b'{' | b'%' | b'#')))
}

/// The word of a statement: `generation` of `{%- generation -%}`.
fn statement(code: &str) -> Option<(&str, usize)> {
    let body = code
        .strip_prefix("{%")?
        .trim_start_matches(['-', '+'])
        .trim_start();
    let end = body.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    Some((&body[..end], code.len() - body.len()))
}

/// The bytes of a whole `{% raw %}` block.
fn raw_block(code: &str) -> Option<usize> {
    if statement(code)?.0 != "raw" {
        return None;
    }
    let mut from = 2;
    while let Some(at) = code[from..].find("{%") {
        from += at;
        if statement(&code[from..]).is_some_and(|(word, _)| word == "endraw") {
            let end = code[from..].find("%}")?;
            return Some(from + end + 2);
        }
        from += 2;
    }
    Some(code.len())
}

/// The bytes of `{{ ... }}` or `{% ... %}`, strings and brackets minded.
fn code_size(code: &str) -> usize {
    let close = if code.starts_with("{{") { "}}" } else { "%}" };
    let bytes = code.as_bytes();
    let mut depth = 0_usize;
    let mut at = 2;
    while at < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => at = string_end(bytes, at),
            _ if depth == 0 && bytes[at..].starts_with(close.as_bytes()) => return at + 2,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// The place of the closing quote, or the last byte.
fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b if b == bytes[open] => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len() - 1
}

fn rewrite(code: &str) -> Cow<'_, str> {
    if let Some((word @ ("generation" | "endgeneration"), at)) = statement(code) {
        let with = if word == "generation" {
            "with"
        } else {
            "endwith"
        };
        return Cow::Owned(format!("{}{with}{}", &code[..at], &code[at + word.len()..]));
    }
    if !code.contains(':') {
        return Cow::Borrowed(code);
    }
    Cow::Owned(rewrite_slices(code))
}

/// An open bracket in what was written.
struct Bracket {
    open: u8,
    at: usize,
    colons: Vec<usize>,
}

fn rewrite_slices(code: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_become_calls() {
        for (source, prepared) in [
            ("{{ a[1:] }}", "{{ a.__slice(1,none) }}"),
            ("{{ a[::-1][0] }}", "{{ a.__slice(none,none,-1)[0] }}"),
            (
                "{{ a[b[1:]:c[':']] }}",
                "{{ a.__slice(b.__slice(1,none),c[':']) }}",
            ),
            ("{% set x = {'a': [1]}[k] %}", "{% set x = {'a': [1]}[k] %}"),
            ("a[1:] {# b[1:] #}", "a[1:] {# b[1:] #}"),
            (
                "{% raw %}{{ a[1:] }}{% endraw %}{{ b[:2] }}",
                "{% raw %}{{ a[1:] }}{% endraw %}{{ b.__slice(none,2) }}",
            ),
            (
                "{{ '}}' ~ a[:x|length] }}",
                "{{ '}}' ~ a.__slice(none,x|length) }}",
            ),
            ("{{ {'a': {'b': 1}} }}[1:]", "{{ {'a': {'b': 1}} }}[1:]"),
        ] {
            assert_eq!(prepare(source), prepared);
        }
    }

    #[test]
    fn generation_blocks_become_scopes() {
        assert_eq!(
            prepare("{%- generation -%}x{% endgeneration %}"),
            "{%- with -%}x{% endwith %}"
        );
    }

    #[test]
    fn broken_sources_are_left_for_the_engine() {
        for source in [
            "{{ a[",
            "{% '",
            "{{ 'a\\",
            "{#",
            "{% raw %}",
            "{{ ] : [ }}",
            "{{",
            "{%",
            "é{{é",
        ] {
            assert_eq!(prepare(source), source);
        }
    }
}

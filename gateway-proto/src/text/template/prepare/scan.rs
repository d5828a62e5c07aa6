//! Where a source holds code, and where that code ends.

/// Rewrites a source.
pub(in super::super) fn prepare(source: &str) -> String {
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
                    out.push_str(&super::rewrite(&code[..size]));
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
pub(super) fn statement(code: &str) -> Option<(&str, usize)> {
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
pub(super) fn string_end(bytes: &[u8], open: usize) -> usize {
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

/// The places in a tag that are outside of strings and brackets, the tag's own delimiters left out.
pub(super) fn top_level(code: &str) -> Vec<usize> {
    let bytes = code.as_bytes();
    let (mut places, mut depth, mut at) = (Vec::new(), 0_usize, 2);
    while at + 2 < bytes.len() {
        match bytes[at] {
            b'"' | b'\'' => at = string_end(bytes, at),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => places.push(at),
            _ => {}
        }
        at += 1;
    }
    places
}

/// Whether `word` stands at `at` by itself.
pub(super) fn is_word(code: &str, at: usize, word: &str) -> bool {
    let bytes = code.as_bytes();
    let inside = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    bytes[at..].starts_with(word.as_bytes())
        && !inside(bytes.get(at + word.len()))
        && !inside(at.checked_sub(1).and_then(|before| bytes.get(before)))
}

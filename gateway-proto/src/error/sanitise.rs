//! Takes the inside of a server out of its error messages.

/// The longest message that is passed on, in bytes.
pub(super) const MESSAGE_BYTES: usize = 2048;

/// What begins a stack trace; the message ends before it.
const TRACE_MARKS: [&str; 4] = [
    "Traceback (most recent call last)",
    "File \"",
    "\n   at ",
    "stack backtrace:",
];

/// `raw` without stack traces, `File "...", line N` and absolute paths, trimmed and at most [`MESSAGE_BYTES`] long.
pub(super) fn message(raw: &str) -> String {
    let untraced = &raw[..trace_start(raw)];
    let mut out = hide_paths(clip(untraced, MESSAGE_BYTES).trim());
    out.truncate(clip(&out, MESSAGE_BYTES).len());
    out
}

fn trace_start(raw: &str) -> usize {
    TRACE_MARKS
        .iter()
        .filter_map(|mark| raw.find(mark))
        .min()
        .unwrap_or(raw.len())
}

fn clip(text: &str, limit_bytes: usize) -> &str {
    if text.len() <= limit_bytes {
        return text;
    }
    let mut end = limit_bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Replaces absolute paths of two or more parts with `<path>`; API routes (`/v1/...`) and URLs stay.
fn hide_paths(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find('/') {
        let (head, tail) = rest.split_at(at);
        out.push_str(head);
        before = head.chars().next_back().or(before);
        let path = &tail[..path_len(tail)];
        let hidden = is_start(before) && is_server_path(path);
        out.push_str(if hidden { "<path>" } else { path });
        before = path.chars().next_back();
        rest = &tail[path.len()..];
    }
    out.push_str(rest);
    out
}

fn path_len(tail: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || "\"'`,;()[]{}<>|".contains(c);
    tail.find(ends).unwrap_or(tail.len())
}

/// A path starts a word; `and/or`, `text/plain` and `https://host` do not.
fn is_start(before: Option<char>) -> bool {
    before.is_none_or(|c| !c.is_alphanumeric() && !"/._-~".contains(c))
}

fn is_server_path(path: &str) -> bool {
    let mut parts = path.split('/').skip(1);
    let first = parts.next().unwrap_or_default();
    let versioned = first
        .strip_prefix('v')
        .is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()));
    let more = parts.next().is_some_and(|part| !part.is_empty());
    !first.is_empty() && more && !versioned && first != "inference"
}

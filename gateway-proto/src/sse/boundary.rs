//! Where events end: at a blank line, whatever the line ends are.

use memchr::{memchr2, memrchr2};

/// The end of the last whole event in `bytes`, or 0; bytes before `from` are known to hold no end of an event.
///
/// A CR at the very end is undecided, because a LF may follow that belongs to it: the event then waits for one more
/// byte. Servers that end lines with LF or CRLF never wait.
pub(super) fn last(bytes: &[u8], from: usize) -> usize {
    let mut end = bytes.len();
    while let Some(at) = memrchr2(b'\n', b'\r', &bytes[from..end]) {
        let at = from + at;
        if bytes[at] == b'\r' && at + 1 == bytes.len() {
            end = at;
            continue;
        }
        let start = line_end_start(bytes, at);
        if start == 0 || matches!(bytes[start - 1], b'\n' | b'\r') {
            return at + 1;
        }
        end = start.max(from);
    }
    0
}

/// The end of the first event in `bytes`, which holds whole events only; the length when there is but one.
pub(super) fn first(bytes: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = memchr2(b'\n', b'\r', &bytes[from..]) {
        let blank = at == 0;
        let at = from + at;
        let pair = bytes[at..].starts_with(b"\r\n");
        from = at + 1 + usize::from(pair);
        if blank {
            return from;
        }
    }
    bytes.len()
}

/// The range of the event that holds the byte at `at`; `bytes` holds whole events only.
pub(super) fn around(bytes: &[u8], at: usize) -> (usize, usize) {
    let mut start = 0;
    loop {
        let end = start + first(&bytes[start..]);
        if at < end || end >= bytes.len() {
            return (start, end);
        }
        start = end;
    }
}

fn line_end_start(bytes: &[u8], at: usize) -> usize {
    if bytes[at] == b'\n' && at > 0 && bytes[at - 1] == b'\r' {
        at - 1
    } else {
        at
    }
}

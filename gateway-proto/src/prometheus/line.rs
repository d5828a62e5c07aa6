//! One line of the exposition text: `name{label="value",...} number [timestamp]`.

use std::borrow::Cow;

/// The braces around a sample's labels.
const OPENING: u8 = 0x7b;
const CLOSING: u8 = 0x7d;

/// A sample as it stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample<'a> {
    pub(super) name: &'a [u8],
    /// What stands between the braces, raw.
    labels: &'a [u8],
    /// What follows, from the value on.
    rest: &'a [u8],
}

/// Splits off the name; cheap, as most lines are dropped by their name.
pub(super) fn name(line: &[u8]) -> &[u8] {
    let end = line
        .iter()
        .position(|b| matches!(*b, OPENING | b' ' | b'\t'))
        .unwrap_or(line.len());
    &line[..end]
}

impl<'a> Sample<'a> {
    /// Splits a line that is neither empty nor a comment; `None` when its braces do not match.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let name = name(line);
        let tail = line[name.len()..].trim_ascii_start();
        let Some(open) = tail.strip_prefix(&[OPENING]) else {
            return Some(Self {
                name,
                labels: b"",
                rest: tail,
            });
        };
        let close = closing_brace(open)?;
        Some(Self {
            name,
            labels: &open[..close],
            rest: open[close + 1..].trim_ascii_start(),
        })
    }

    /// The value; `NaN` and `+Inf` parse, rubbish does not.
    pub(super) fn value(&self) -> Option<f64> {
        let end = self
            .rest
            .iter()
            .position(u8::is_ascii_whitespace)
            .unwrap_or(self.rest.len());
        std::str::from_utf8(&self.rest[..end]).ok()?.parse().ok()
    }

    /// The labels with their escapes undone; ends at the first malformed one.
    pub(super) fn labels(&self) -> Labels<'a> {
        Labels { rest: self.labels }
    }
}

/// The brace that ends the labels: the first one outside quotes.
fn closing_brace(labels: &[u8]) -> Option<usize> {
    let (mut quoted, mut at) = (false, 0);
    while let Some(&byte) = labels.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            CLOSING if !quoted => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Iterates over label names and values.
pub(super) struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = (&'a [u8], Cow<'a, [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self
            .rest
            .iter()
            .position(|b| !matches!(b, b',' | b' ' | b'\t'))?;
        let rest = &self.rest[start..];
        let equals = memchr::memchr(b'=', rest)?;
        let value = rest[equals + 1..].trim_ascii_start().strip_prefix(b"\"")?;
        let end = closing_quote(value)?;
        self.rest = &value[end + 1..];
        Some((rest[..equals].trim_ascii(), unescape(&value[..end])))
    }
}

fn closing_quote(value: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', value.get(at..)?)?;
        if value[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

fn unescape(raw: &[u8]) -> Cow<'_, [u8]> {
    if !raw.contains(&b'\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(
                bytes
                    .next()
                    .map(|&next| if next == b'n' { b'\n' } else { next }),
            ),
            _ => out.push(byte),
        }
    }
    Cow::Owned(out)
}

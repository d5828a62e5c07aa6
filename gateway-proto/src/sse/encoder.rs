//! The event-stream writer.

use bytes::{Bytes, BytesMut};

/// Writes events into a buffer that the caller empties when it sends.
///
/// Data may hold line breaks of any kind: each line gets its own `data:` field. Names and comments are cut at the first
/// line break, since nothing after it could belong to them.
#[derive(Debug, Default)]
pub struct Encoder {
    out: BytesMut,
}

impl Encoder {
    /// An encoder with an empty buffer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes an unnamed event.
    pub fn data(&mut self, data: &str) {
        self.lines(data);
        self.out.extend_from_slice(b"\n");
    }

    /// Writes a named event.
    pub fn event(&mut self, name: &str, data: &str) {
        self.out.extend_from_slice(b"event: ");
        self.out.extend_from_slice(first_line(name));
        self.out.extend_from_slice(b"\n");
        self.data(data);
    }

    /// Writes a comment, which clients skip: a sign of life.
    pub fn comment(&mut self, text: &str) {
        self.out.extend_from_slice(b": ");
        self.out.extend_from_slice(first_line(text));
        self.out.extend_from_slice(b"\n\n");
    }

    /// Writes `data: [DONE]`, the end of an OpenAI stream.
    pub fn done(&mut self) {
        self.out.extend_from_slice(b"data: [DONE]\n\n");
    }

    /// What was written since the last call.
    #[must_use]
    pub fn take(&mut self) -> Bytes {
        self.out.split().freeze()
    }

    fn lines(&mut self, data: &str) {
        let mut rest = data.as_bytes();
        loop {
            let end = memchr::memchr2(b'\n', b'\r', rest);
            self.out.extend_from_slice(b"data: ");
            self.out
                .extend_from_slice(&rest[..end.unwrap_or(rest.len())]);
            self.out.extend_from_slice(b"\n");
            let Some(end) = end else { return };
            let pair = rest[end..].starts_with(b"\r\n");
            rest = &rest[end + 1 + usize::from(pair)..];
        }
    }
}

fn first_line(text: &str) -> &[u8] {
    let end = memchr::memchr2(b'\n', b'\r', text.as_bytes()).unwrap_or(text.len());
    &text.as_bytes()[..end]
}

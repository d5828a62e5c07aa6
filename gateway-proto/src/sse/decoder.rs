//! The event-stream parser.

use std::mem;

use bytes::{Buf, BytesMut};
use memchr::memchr2;

use super::{Limits, SseError};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// One event of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event` field; `None` means `message`.
    pub event: Option<String>,
    /// The `data` lines joined with line feeds; invalid UTF-8 is replaced.
    pub data: String,
    /// The `id` field of this event.
    pub id: Option<String>,
    /// The `retry` field of this event, in milliseconds.
    pub retry_ms: Option<u64>,
}

/// Takes bytes in any split and gives events.
///
/// Holds what was fed and not yet read, so memory is bounded when the caller drains [`next_event`](Self::next_event)
/// after each [`feed`](Self::feed): by the limit plus one chunk.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    input: BytesMut,
    /// Bytes of `input` known to hold no line end.
    scanned: usize,
    event: Event,
    has_data: bool,
    /// Bytes of the fields gathered for the current event.
    held: usize,
    at_start: bool,
    /// The last line ended in CR: a LF that follows belongs to it.
    skip_lf: bool,
    failed: bool,
}

impl Decoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            input: BytesMut::new(),
            scanned: 0,
            event: Event::default(),
            has_data: false,
            held: 0,
            at_start: true,
            skip_lf: false,
            failed: false,
        }
    }

    /// Adds bytes from the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        if !self.failed {
            self.input.extend_from_slice(chunk);
        }
    }

    /// The next whole event, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`SseError::TooLong`] for an event past the limit; the decoder gives nothing more after that.
    pub fn next_event(&mut self) -> Result<Option<Event>, SseError> {
        if self.failed || !self.past_bom() {
            return Ok(None);
        }
        loop {
            if self.skip_lf && !self.input.is_empty() {
                self.skip_lf = false;
                if self.input[0] == b'\n' {
                    self.input.advance(1);
                }
            }
            let found = memchr2(b'\n', b'\r', &self.input[self.scanned..]);
            let length = found.map_or(self.input.len(), |at| self.scanned + at);
            self.check(length)?;
            if found.is_none() {
                self.scanned = length;
                return Ok(None);
            }
            self.scanned = 0;
            let line = self.input.split_to(length);
            self.skip_lf = self.input.get_u8() == b'\r';
            if !line.is_empty() {
                self.take_line(&line);
            } else if let Some(event) = self.dispatch() {
                return Ok(Some(event));
            }
        }
    }

    /// True when the stream stands between two events: nothing was cut off if it ends here.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        !self.failed && self.input.is_empty() && !self.has_data && self.event == Event::default()
    }

    /// Drops one byte order mark; false while it is undecided.
    fn past_bom(&mut self) -> bool {
        if !self.at_start {
            return true;
        }
        if self.input.len() < BOM.len() && BOM.starts_with(&self.input) {
            return false;
        }
        if self.input.starts_with(BOM) {
            self.input.advance(BOM.len());
        }
        self.at_start = false;
        true
    }

    fn check(&mut self, line_bytes: usize) -> Result<(), SseError> {
        if self.held.saturating_add(line_bytes) <= self.limits.event_bytes {
            return Ok(());
        }
        self.failed = true;
        self.input = BytesMut::new();
        Err(SseError::TooLong {
            limit_bytes: self.limits.event_bytes,
        })
    }

    fn take_line(&mut self, line: &[u8]) {
        let (name, value) = match memchr::memchr(b':', line) {
            Some(at) => (
                &line[..at],
                line[at + 1..].strip_prefix(b" ").unwrap_or(&line[at + 1..]),
            ),
            None => (line, &[][..]),
        };
        match name {
            b"data" => self.add_data(value),
            b"event" => self.event.event = Some(text(value)),
            b"id" if !value.contains(&0) => self.event.id = Some(text(value)),
            b"retry" => self.event.retry_ms = millis(value).or(self.event.retry_ms),
            // An empty name is a comment; unknown fields are ignored by the format's own rule.
            _ => return,
        }
        self.held = self.held.saturating_add(line.len());
    }

    fn add_data(&mut self, value: &[u8]) {
        if mem::replace(&mut self.has_data, true) {
            self.event.data.push('\n');
        }
        match std::str::from_utf8(value) {
            Ok(valid) => self.event.data.push_str(valid),
            Err(_) => self.event.data.push_str(&String::from_utf8_lossy(value)),
        }
    }

    /// The gathered event, unless it has no data: such a block is dropped, as the format says.
    fn dispatch(&mut self) -> Option<Event> {
        self.held = 0;
        let event = mem::take(&mut self.event);
        mem::take(&mut self.has_data).then_some(event)
    }
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

fn millis(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    digits
        .then(|| std::str::from_utf8(value).ok()?.parse().ok())
        .flatten()
}

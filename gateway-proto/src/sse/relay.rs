//! The pass-through for reply streams.

use bytes::{Bytes, BytesMut};
use serde::de::IgnoredAny;

use super::markers::{Ending, Extent};
use super::{Limits, boundary, counts::Counts, markers};
use crate::error::EngineFault;
use crate::ir::Usage;

/// Forwards a reply stream in whole events, as the bytes came, and says how it ends.
///
/// A chunk that ends on an event boundary while nothing is held back is returned as it is: the same [`Bytes`], not a
/// copy. Otherwise the incomplete tail waits, bounded by the limit, for the chunk that completes it.
///
/// An engine that fails in mid-stream says so under HTTP 200: with an error event, or with a `finish_reason` of `abort`
/// or `error`, both politely followed by `[DONE]`. Everything up to that event is forwarded, nothing from there on, so
/// that the caller may still continue elsewhere or send an error of its own.
///
/// It knows the streams of chat, completions, Messages, Responses and the engines' own generate routes by their marks; what
/// comes after the event that ends a stream is not forwarded.
///
/// An event whose JSON is spread over several `data:` lines is forwarded but its marks may be missed; no engine writes
/// such events.
#[derive(Debug)]
pub struct Relay {
    limits: Limits,
    carry: BytesMut,
    over: bool,
    finished: bool,
    content_seen: bool,
    counts: Counts,
}

/// What one chunk led to.
#[derive(Debug)]
pub struct RelayStep {
    /// Whole events to send on; may be empty.
    pub forward: Bytes,
    /// These bytes carry the first generated content of the stream.
    pub first_content: bool,
    /// The end of the stream, given once; later pushes forward nothing.
    pub terminal: Option<Terminal>,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// `[DONE]`, `message_stop` or the last event of a response, which is forwarded.
    Done,
    /// An error event or a failed response, which is not.
    EngineError(Box<EngineFault>),
    /// A finish reason of `abort` or `error`, which is not forwarded either.
    Aborted,
    /// An event larger than the limit.
    Oversized {
        /// The limit that was passed, in bytes.
        limit_bytes: usize,
    },
    /// The connection ended before the stream did; `inside_event` tells whether it cut an event in two.
    Truncated {
        /// Bytes of an incomplete event were dropped.
        inside_event: bool,
    },
}

impl Relay {
    /// A relay at the start of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            carry: BytesMut::new(),
            over: false,
            finished: false,
            content_seen: false,
            counts: Counts::default(),
        }
    }

    /// Takes the next chunk from the engine.
    #[must_use]
    pub fn push(&mut self, chunk: Bytes) -> RelayStep {
        if self.over {
            return RelayStep {
                forward: Bytes::new(),
                first_content: false,
                terminal: None,
            };
        }
        let region = self.whole_events(chunk);
        let (cut, mut terminal) = self.inspect(&region);
        if terminal.is_none() && self.carry.len() > self.limits.event_bytes {
            terminal = Some(Terminal::Oversized {
                limit_bytes: self.limits.event_bytes,
            });
        }
        let forward = if cut == region.len() {
            region
        } else {
            region.slice(..cut)
        };
        self.step(forward, terminal)
    }

    /// Tells that the engine closed the connection.
    ///
    /// A last event that ends the stream even where its blank line is missing, which is added; any other incomplete event
    /// is dropped, as the format demands.
    #[must_use]
    pub fn finish(&mut self) -> RelayStep {
        if self.over {
            return RelayStep {
                forward: Bytes::new(),
                first_content: false,
                terminal: None,
            };
        }
        let mut tail = std::mem::take(&mut self.carry);
        // A CR that waited for its LF is a line end after all.
        let complete = tail.ends_with(b"\r\r") || tail.ends_with(b"\n\r");
        if !complete && !is_last_event(&tail) {
            return self.step(
                Bytes::new(),
                Some(Terminal::Truncated {
                    inside_event: !tail.is_empty(),
                }),
            );
        }
        if !complete {
            tail.extend_from_slice(b"\n\n");
        }
        let region = tail.freeze();
        let (cut, terminal) = self.inspect(&region);
        let terminal = terminal.unwrap_or(Terminal::Truncated {
            inside_event: false,
        });
        self.step(region.slice(..cut), Some(terminal))
    }

    /// What the events so far say of the cost; later ones count.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.counts.usage()
    }

    /// Some choice has ended with a regular finish reason.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Generated content has been forwarded: the request can no longer be tried elsewhere unseen.
    #[must_use]
    pub fn has_content(&self) -> bool {
        self.content_seen
    }

    /// A terminal condition was reported.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Joins the chunk to what was carried and splits off the whole events.
    fn whole_events(&mut self, chunk: Bytes) -> Bytes {
        if self.carry.is_empty() {
            let end = boundary::last(&chunk, 0);
            if end == chunk.len() {
                return chunk;
            }
            self.carry.extend_from_slice(&chunk[end..]);
            return chunk.slice(..end);
        }
        let known = self.carry.len() - 1;
        self.carry.extend_from_slice(&chunk);
        match boundary::last(&self.carry, known) {
            // Splitting off nothing would share the buffer, and the next chunk would copy it.
            0 => Bytes::new(),
            end => self.carry.split_to(end).freeze(),
        }
    }

    /// Looks for the end of the stream in whole events; gives how much may be forwarded, and notes the rest's facts.
    fn inspect(&mut self, region: &[u8]) -> (usize, Option<Terminal>) {
        let (mut cut, mut terminal) = (region.len(), None);
        if cut == 0 {
            return (0, None);
        }
        if cut > self.limits.event_bytes
            && let Some(start) = self.oversized(region)
        {
            (cut, terminal) = (
                start,
                Some(Terminal::Oversized {
                    limit_bytes: self.limits.event_bytes,
                }),
            );
        }
        if let Some(at) = markers::end(&region[..cut]) {
            (cut, terminal) = (boundary::around(&region[..cut], at).1, Some(Terminal::Done));
        }
        if let Some((start, fault)) = engine_error(&region[..cut]) {
            (cut, terminal) = (start, Some(Terminal::EngineError(Box::new(fault))));
        }
        if let Some(start) = self.note_endings(&region[..cut]) {
            (cut, terminal) = (start, Some(Terminal::Aborted));
        }
        if let Some(counts) = markers::counts(&region[..cut]) {
            self.counts.update(counts);
        }
        (cut, terminal)
    }

    /// Notes regular endings; gives the start of the event with a broken one.
    fn note_endings(&mut self, region: &[u8]) -> Option<usize> {
        for (at, ending) in markers::endings(region, Extent::Line) {
            match ending {
                Ending::Regular => self.finished = true,
                Ending::Broken => return Some(boundary::around(region, at).0),
            }
        }
        None
    }

    fn oversized(&self, region: &[u8]) -> Option<usize> {
        let mut start = 0;
        while start < region.len() {
            let length = boundary::first(&region[start..]);
            if length > self.limits.event_bytes {
                return Some(start);
            }
            start += length;
        }
        None
    }

    fn step(&mut self, forward: Bytes, terminal: Option<Terminal>) -> RelayStep {
        let first_content = !self.content_seen && markers::has_content(&forward);
        self.content_seen |= first_content;
        if terminal.is_some() {
            self.over = true;
            self.carry = BytesMut::new();
        }
        RelayStep {
            forward,
            first_content,
            terminal,
        }
    }
}

/// The first event that is an error: its start and what it says. Each event is parsed once at most.
fn engine_error(region: &[u8]) -> Option<(usize, EngineFault)> {
    let mut checked = 0;
    for at in markers::error_candidates(region) {
        if at < checked {
            continue;
        }
        let (start, end) = boundary::around(&region[checked..], at - checked);
        let (start, end) = (checked + start, checked + end);
        if let Some(json) = payload(&region[start..end]).and_then(markers::failure) {
            return Some((start, EngineFault::parse(200, json)));
        }
        checked = end;
    }
    None
}

/// Whether these bytes are an event that ends a stream, but for its blank line.
fn is_last_event(tail: &[u8]) -> bool {
    let is_whole = |data| data == b"[DONE]" || serde_json::from_slice::<IgnoredAny>(data).is_ok();
    markers::end(tail).is_some() && payload(tail).is_some_and(is_whole)
}

/// The value of the event's `data:` line.
fn payload(event: &[u8]) -> Option<&[u8]> {
    let mut lines = event.split(|b| matches!(b, b'\n' | b'\r'));
    lines
        .find_map(|line| line.strip_prefix(b"data:"))
        .map(<[u8]>::trim_ascii)
}

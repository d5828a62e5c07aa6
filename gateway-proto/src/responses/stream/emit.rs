//! From events to bytes: numbering and framing.

use crate::json::push_u64;

/// How events are told apart on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Server-sent events with `event:` and `data:` lines, `data: [DONE]` at the end.
    #[default]
    Sse,
    /// One JSON text per line: each line is one WebSocket message, or one entry of an [`EventLog`](super::EventLog).
    Lines,
    /// Nothing is written; only the response object is made.
    Silent,
}

/// Writes numbered events.
#[derive(Debug)]
pub(super) struct Emitter {
    framing: Framing,
    sequence: u64,
}

impl Emitter {
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            framing,
            sequence: 0,
        }
    }

    /// The number of the next event.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Writes an event; `members` appends what follows its type and number, from the comma on.
    pub(super) fn event(
        &mut self,
        kind: &str,
        out: &mut Vec<u8>,
        members: impl FnOnce(&mut Vec<u8>),
    ) {
        match self.framing {
            Framing::Silent => return,
            Framing::Lines => {}
            Framing::Sse => {
                out.extend_from_slice(b"event: ");
                out.extend_from_slice(kind.as_bytes());
                out.extend_from_slice(b"\ndata: ");
            }
        }
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\",\"sequence_number\":");
        push_u64(out, self.sequence);
        members(out);
        out.extend_from_slice(match self.framing {
            Framing::Sse => b"}\n\n".as_slice(),
            _ => b"}\n".as_slice(),
        });
        self.sequence += 1;
    }

    /// Writes the end of a good stream, which WebSocket messages do not have.
    pub(super) fn done(&self, out: &mut Vec<u8>) {
        if self.framing == Framing::Sse {
            out.extend_from_slice(DONE);
        }
    }
}

/// The end of a good stream of server-sent events.
pub const DONE: &[u8] = b"data: [DONE]\n\n";

/// Appends one line of [`Framing::Lines`] as a server-sent event.
pub fn push_sse(line: &[u8], out: &mut Vec<u8>) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(kind_of(line));
    out.extend_from_slice(b"\ndata: ");
    out.extend_from_slice(line);
    out.extend_from_slice(b"\n\n");
}

/// The type of an event written above: its first member.
fn kind_of(line: &[u8]) -> &[u8] {
    let rest = line.strip_prefix(b"{\"type\":\"").unwrap_or_default();
    let end = memchr::memchr(b'"', rest).unwrap_or(0);
    &rest[..end]
}

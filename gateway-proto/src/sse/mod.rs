//! Server-sent events: reading, writing, and passing through.
//!
//! [`Decoder`] follows the WHATWG event-stream rules for any split of the bytes. [`Encoder`] writes events. [`Relay`]
//! is neither: it forwards whole events as they came and only looks for what a router must know.
//!
//! ```
//! use gateway_proto::sse::{Decoder, Limits};
//!
//! let mut decoder = Decoder::new(Limits::default());
//! decoder.feed(b"data: one\n\ndata: t");
//! assert_eq!(decoder.next_event()?.expect("one event").data, "one");
//! assert!(decoder.next_event()?.is_none());
//! # Ok::<(), gateway_proto::sse::SseError>(())
//! ```
mod boundary;
pub(crate) mod counts;
mod decoder;
mod encoder;
pub(crate) mod markers;
mod relay;
#[cfg(test)]
mod tests;

pub use decoder::{Decoder, Event};
pub use encoder::Encoder;
pub use relay::{Relay, RelayStep, Terminal};

/// Bounds on what a peer may make us hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest event, in bytes. Decoder: its longest line plus the fields kept so far; relay: all its raw bytes.
    pub event_bytes: usize,
}

impl Default for Limits {
    /// One event of 1 MiB: room for a tool call with a whole file in it.
    fn default() -> Self {
        Self {
            event_bytes: 1 << 20,
        }
    }
}

/// What can be wrong with an event stream. Anything else is valid by definition of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// An event grew past the limit.
    #[error("an event is larger than {limit_bytes} bytes")]
    TooLong {
        /// The limit that was passed.
        limit_bytes: usize,
    },
}

//! What can be wrong with a message.

use thiserror::Error;

/// Why a payload is no batch of events; the place is in bytes from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KvEventError {
    /// The payload ends inside a value.
    #[error("the payload ends inside a value at byte {at}")]
    Truncated {
        /// Where the value starts.
        at: usize,
    },
    /// A list announces more elements than there are bytes.
    #[error("{count} elements announced at byte {at}, more than the payload can hold")]
    Count {
        /// Where the list starts.
        at: usize,
        /// Its elements.
        count: u64,
    },
    /// A value of another type than the format has here.
    #[error("expected {expected} at byte {at}")]
    Unexpected {
        /// Where the value starts.
        at: usize,
        /// What should be there.
        expected: &'static str,
    },
    /// Bytes after the batch.
    #[error("the batch ends at byte {at} but the payload goes on")]
    Trailing {
        /// The first byte too many.
        at: usize,
    },
}

/// Why a message's frames are none that an engine sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Another number of frames than a message has.
    #[error("{found} frames do not make a message")]
    Frames {
        /// How many there are.
        found: usize,
    },
    /// The sequence number's frame is not 8 bytes long.
    #[error("a sequence number of {found} bytes, not 8")]
    Sequence {
        /// Its length.
        found: usize,
    },
}

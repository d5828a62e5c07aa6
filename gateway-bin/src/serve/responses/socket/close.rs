//! Why a connection is closed.

use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

/// Why a connection is closed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Close {
    /// The caller wants it, or is gone.
    Caller,
    /// The gateway stops.
    Stopping,
    /// Nothing came for too long.
    Idle,
    /// It has lived as long as it may.
    Old,
    /// A message is too large.
    TooLarge,
    /// The caller's key does not count any more.
    Key,
}

impl Close {
    /// What the caller is told.
    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::Caller => (CloseCode::Normal, ""),
            Self::Stopping => (CloseCode::Away, "the gateway is stopping"),
            Self::Idle => (CloseCode::Away, "nothing came for too long"),
            Self::Old => (CloseCode::Away, "the connection has reached its age limit"),
            Self::TooLarge => (CloseCode::Size, "the message is too large"),
            Self::Key => (CloseCode::Policy, "the key is not valid any more"),
        };
        CloseFrame {
            code,
            reason: reason.into(),
        }
    }
}

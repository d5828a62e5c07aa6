//! The little of ZMTP 3.0 (ZeroMQ RFC 23) that a subscriber and an asker for replays need, over TCP and without security.
//!
//! Spoken here rather than through a socket library because a feed must know what a library hides: when its peer went away
//! (the engine has likely restarted), which peer a message came from, and that no peer can ask for more memory than a
//! message may have.
//!
//! Nothing is queued on this side: a message is read when it is asked for, so a slow reader fills the window of its
//! connection, then the publisher's queue (`hwm`), and what that drops shows as a gap in the sequence.

mod error;
mod frames;
mod peer;
#[cfg(test)]
mod tests;

pub(super) use error::ZmtpError;
pub(super) use peer::{Kind, Peer};

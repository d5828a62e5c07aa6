//! What can go wrong between two peers.

use std::io;

/// Why a connection ended, or never began.
#[derive(Debug, thiserror::Error)]
pub(in crate::feed) enum ZmtpError {
    /// The connection could not be made, or broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer took too long.
    #[error("the peer did not answer in time")]
    Timeout,
    /// What listens there speaks something else, or an older version.
    #[error("the peer speaks no ZMTP 3")]
    NotZmtp,
    /// The peer demands credentials.
    #[error("the peer asks for a security mechanism; only NULL is spoken")]
    Mechanism,
    /// The socket at the other end does not fit this one.
    #[error("the peer's socket is a {0}")]
    SocketType(String),
    /// A message is larger, or has more frames, than any sane one.
    #[error("the peer sent a message beyond {limit} bytes or {frames} frames", limit = super::frames::MESSAGE_BYTES, frames = super::frames::MESSAGE_FRAMES)]
    TooLarge,
    /// The peer broke the rules.
    #[error("the peer sent a broken command")]
    Garbled,
}

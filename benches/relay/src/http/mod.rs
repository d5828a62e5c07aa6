//! As much HTTP/1.1 as engine and load generator need, and as cheap as it can be: what they burn is
//! taken from the relay, which shares their cores.

mod chunked;
mod head;
mod wire;

pub(crate) use chunked::Dechunker;
pub(crate) use head::Framing;
pub(crate) use wire::Wire;

/// What the other side sent cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpFault {
    /// Connection refused, reset, timed out.
    #[error("connection: {0}")]
    Io(#[from] std::io::Error),
    /// The other side closed in the middle of a message.
    #[error("closed in the middle of a message")]
    Cut,
    /// Not HTTP/1.1, or more than the limits allow.
    #[error("malformed message: {0}")]
    Malformed(&'static str),
}

//! Bodies: what engines hand in.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;

/// The bytes stopped coming and there will be no more.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the reply broke off")]
pub struct BrokenBody;

/// The body of an engine's reply, whatever the engine's wire.
pub type BoxBody = UnsyncBoxBody<Bytes, BrokenBody>;

//! KV-cache events: which blocks an engine stored and removed.
//!
//! vLLM and SGLang publish them: [`Frames`] and [`Replay`] read what arrives on a socket, [`decode`] the payload inside.
//! TensorRT-LLM is asked for them: [`Polled`] reads an answer, [`PolledRank`] its events. What the events mean for a router
//! is kept in [`gateway_core::kvfeed`].
//!
//! ```
//! use gateway_core::kvfeed::{KvBatch, KvEvent};
//! use gateway_proto::kv_events::decode;
//!
//! let payload = b"\x93\xcb\x3f\xf8\0\0\0\0\0\0\x91\x91\xb0AllBlocksCleared\0";
//! let mut batch = KvBatch::new();
//! decode(payload, &mut batch)?;
//! assert_eq!(batch.events().collect::<Vec<_>>(), [KvEvent::Cleared]);
//! assert_eq!(batch.published_unix_secs(), Some(1.5));
//! # Ok::<(), gateway_proto::kv_events::KvEventError>(())
//! ```

mod decode;
mod error;
mod extra;
mod fields;
mod frames;
mod polled;
mod reader;
#[cfg(test)]
mod tests;

pub use decode::decode;
pub use error::{FrameError, KvEventError};
pub use frames::{Frames, Replay};
pub use polled::{Polled, PolledError, PolledEvent, PolledRank};

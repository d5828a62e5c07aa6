//! KV events: over ZeroMQ, as vLLM publishes them, or kept until they are asked for, as TensorRT-LLM does.
//!
//! A published message has three frames: topic, sequence number (eight bytes, big-endian, from 0), and a MessagePack batch
//! `[unix seconds, events, data-parallel rank]`. Missed batches are asked for on a second socket with an empty frame and
//! the first wanted number; each comes back as an empty frame, topic, number and batch, and number -1 ends the answer.

mod kept;
mod outlet;
mod publisher;
mod wire;

pub(super) use kept::KeptEvents;
pub(super) use outlet::Outlet;
pub(super) use publisher::{Fate, KvFeed, KvPublisher};

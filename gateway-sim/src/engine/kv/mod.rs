//! KV events over ZeroMQ, as vLLM publishes them.
//!
//! A message has three frames: topic, sequence number (eight bytes, big-endian, from 0), and a MessagePack batch
//! `[unix seconds, events, data-parallel rank]`. Missed batches are asked for on a second socket with an empty frame and
//! the first wanted number; each comes back as an empty frame, topic, number and batch, and number -1 ends the answer.

mod publisher;
mod wire;

pub(super) use publisher::{Fate, KvFeed, KvPublisher};

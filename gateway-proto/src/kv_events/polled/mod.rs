//! Events that are asked for and not published: TensorRT-LLM's `POST /kv_cache_events`, a JSON list that asking empties.
//!
//! Source: `tensorrt_llm/_utils.py` (the serializer), `serve/kv_event_fanout.py` (what the fields mean).

mod answer;
mod data;
mod rank;
#[cfg(test)]
mod tests;

pub use answer::{Polled, PolledError, PolledEvent};
pub use rank::PolledRank;

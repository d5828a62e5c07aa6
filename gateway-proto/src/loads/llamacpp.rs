//! llama.cpp's server: its slots. Source: recordings of b11434.

use gateway_core::load::Telemetry;
use serde::Deserialize;

use super::numbers::{Count, share, sum};

#[derive(Deserialize)]
struct Slot {
    #[serde(default)]
    n_ctx: Count,
    is_processing: bool,
    #[serde(default)]
    n_prompt_tokens: Count,
    #[serde(default)]
    next_token: Vec<Next>,
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    n_decoded: Count,
}

impl Slot {
    /// What a request holds here; what an earlier one left gives way.
    fn used(&self) -> Option<u64> {
        if !self.is_processing {
            return Some(0);
        }
        let decoded = self.next_token.first().and_then(|next| next.n_decoded.0);
        sum([self.n_prompt_tokens.0, decoded])
    }
}

pub(super) fn slots(body: &[u8]) -> Option<Telemetry> {
    let slots: Vec<Slot> = serde_json::from_slice(body).ok()?;
    let running = slots.iter().filter(|slot| slot.is_processing).count();
    let capacity = sum(slots.iter().map(|slot| slot.n_ctx.0));
    let used = slots.iter().map(Slot::used).sum::<Option<u64>>();
    Some(Telemetry {
        running: u32::try_from(running).ok(),
        kv_used: share(used, capacity),
        kv_capacity_tokens: capacity,
        ..Telemetry::default()
    })
}

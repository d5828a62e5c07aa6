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
    next_token: Option<NextToken>,
}

/// Older servers tell of the one sequence of a slot, newer ones list them.
#[derive(Deserialize)]
#[serde(untagged)]
enum NextToken {
    Listed(Vec<Next>),
    One(Next),
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
        let next = match self.next_token.as_ref() {
            Some(NextToken::Listed(all)) => all.first(),
            Some(NextToken::One(next)) => Some(next),
            None => None,
        };
        sum([
            self.n_prompt_tokens.0,
            next.and_then(|next| next.n_decoded.0),
        ])
    }
}

pub(super) fn slots(body: &[u8]) -> Option<Telemetry> {
    let slots: Vec<Slot> = serde_json::from_slice(body).ok()?;
    let running = slots.iter().filter(|slot| slot.is_processing).count();
    let capacity = sum(slots.iter().map(|slot| slot.n_ctx.0));
    let used = slots
        .iter()
        .try_fold(0_u64, |used, slot| Some(used.saturating_add(slot.used()?)));
    Some(Telemetry {
        running: u32::try_from(running).ok(),
        kv_used: share(used, capacity),
        kv_capacity_tokens: capacity,
        ..Telemetry::default()
    })
}

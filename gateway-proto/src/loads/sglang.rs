//! SGLang. Source: 0.5.23 for `/v1/loads`, 0.5.16 for `/get_load`.

use gateway_core::load::Telemetry;
use serde::Deserialize;

use super::numbers::{Count, Share, requests, sum};

#[derive(Deserialize)]
struct Loads {
    loads: Vec<Rank>,
}

#[derive(Deserialize)]
struct Rank {
    #[serde(default)]
    dp_rank: Count,
    #[serde(default)]
    num_running_reqs: Count,
    #[serde(default)]
    num_waiting_reqs: Count,
    #[serde(default)]
    token_usage: Share,
    #[serde(default)]
    max_total_num_tokens: Count,
}

/// Ranks add up; the fullest one speaks for the KV cache.
pub(super) fn loads(body: &[u8], only: Option<u32>) -> Option<Telemetry> {
    let mut ranks = serde_json::from_slice::<Loads>(body).ok()?.loads;
    ranks.retain(|rank| is_meant(rank.dp_rank, only));
    let usages = ranks.iter().filter_map(|rank| rank.token_usage.0);
    Some(Telemetry {
        running: requests(ranks.iter().map(|rank| rank.num_running_reqs)),
        waiting: requests(ranks.iter().map(|rank| rank.num_waiting_reqs)),
        kv_used: usages.reduce(f32::max),
        kv_capacity_tokens: sum(ranks.iter().map(|rank| rank.max_total_num_tokens.0)),
        ..Telemetry::default()
    })
}

/// One rank of the older report, whose requests are running and waiting ones together.
#[derive(Deserialize)]
struct OldRank {
    #[serde(default)]
    dp_rank: Count,
    #[serde(default)]
    num_reqs: Count,
    #[serde(default)]
    num_waiting_reqs: Count,
}

impl OldRank {
    fn running(&self) -> Count {
        let waiting = self.num_waiting_reqs.0.unwrap_or(0);
        Count(self.num_reqs.0.map(|all| all.saturating_sub(waiting)))
    }
}

/// Whether an entry is of the rank `only`; one that does not say is of all.
fn is_meant(rank: Count, only: Option<u32>) -> bool {
    let other = |only: u32| rank.0.is_some_and(|rank| rank != u64::from(only));
    !only.is_some_and(other)
}

pub(super) fn load(body: &[u8], only: Option<u32>) -> Option<Telemetry> {
    let mut ranks: Vec<OldRank> = serde_json::from_slice(body).ok()?;
    ranks.retain(|rank| is_meant(rank.dp_rank, only));
    Some(Telemetry {
        running: requests(ranks.iter().map(OldRank::running)),
        waiting: requests(ranks.iter().map(|rank| rank.num_waiting_reqs)),
        ..Telemetry::default()
    })
}

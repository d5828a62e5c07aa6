//! Scorers: how good each choice would be.
//!
//! Scores are shares and ratios, not ranks or the spread between best and worst: a small difference stays small, and a
//! weight means the same in an idle fleet and in a busy one. Two keep the spread because their policy is published so.
//! Whole policies (`lmetric`, `cache-aware`, ...) are meant to stand alone; their best candidate scores 1.

mod cache_aware;
mod considered;
mod consistent_hash;
mod cost;
mod dual_map;
mod dynamo_cost;
mod kv_headroom;
mod label_preference;
mod latency;
mod least_queued_tokens;
mod least_requests;
mod length_fit;
mod lmetric;
mod lora_affinity;
mod preble_e2;
mod predicted_ttft;
mod prefix_affinity;
mod recent_work;
mod rendezvous;
mod session_affinity;
mod spread;
mod static_weight;
mod sticky_until_saturated;
mod token_load;

pub use cache_aware::{CacheAware, CacheAwareParams};
pub use consistent_hash::{ConsistentHash, ConsistentHashParams};
pub use dual_map::{DualMap, DualMapParams};
pub use dynamo_cost::{DynamoCost, DynamoCostParams};
pub use kv_headroom::KvHeadroom;
pub use label_preference::{LabelPreference, LabelPreferenceParams};
pub use latency::{Latency, LatencyParams};
pub use least_queued_tokens::{LeastQueuedTokens, LeastQueuedTokensParams};
pub use least_requests::LeastRequests;
pub use length_fit::{LengthFit, LengthFitParams};
pub use lmetric::{LMetric, LMetricParams, WorkUnit};
pub use lora_affinity::{LoraAffinity, LoraAffinityParams};
pub use preble_e2::{PrebleE2, PrebleE2Params};
pub use predicted_ttft::PredictedTtft;
pub use prefix_affinity::{Normalise, PrefixAffinity, PrefixAffinityParams};
pub use session_affinity::{SessionAffinity, SessionAffinityParams};
pub use spread::{RunningRequests, WaitingRequests};
pub use static_weight::StaticWeight;
pub use sticky_until_saturated::{LoadUnit, StickyUntilSaturated, StickyUntilSaturatedParams};
pub use token_load::{TokenLoad, TokenLoadParams};

use super::NoParams;
use crate::pipeline::Registry;

/// The score of candidates about which nothing is known.
const NEUTRAL: f32 = 0.5;

pub(crate) fn register(registry: &mut Registry) {
    registry
        .learning_scorer("cache-aware", CacheAware::new)
        .scorer("consistent-hash", ConsistentHash::new)
        .scorer("dual-map", DualMap::new)
        .scorer("dynamo-cost", DynamoCost::new)
        .scorer("kv-headroom", |NoParams {}| Ok(KvHeadroom))
        .scorer("label-preference", LabelPreference::new)
        .scorer("latency", Latency::new)
        .scorer("least-queued-tokens", LeastQueuedTokens::new)
        .scorer("least-requests", |NoParams {}| Ok(LeastRequests))
        .scorer("length-fit", LengthFit::new)
        .scorer("lmetric", |params: LMetricParams| Ok(LMetric::new(params)))
        .scorer("lora-affinity", LoraAffinity::new)
        .learning_scorer("preble-e2", PrebleE2::new)
        .scorer("predicted-ttft", |NoParams {}| Ok(PredictedTtft))
        .scorer("prefix-affinity", |params: PrefixAffinityParams| {
            Ok(PrefixAffinity::new(params))
        })
        .scorer("running-requests", |NoParams {}| Ok(RunningRequests))
        .scorer("session-affinity", SessionAffinity::new)
        .scorer("static-weight", |NoParams {}| Ok(StaticWeight))
        .scorer("sticky-until-saturated", StickyUntilSaturated::new)
        .scorer("token-load", TokenLoad::new)
        .scorer("waiting-requests", |NoParams {}| Ok(WaitingRequests));
}

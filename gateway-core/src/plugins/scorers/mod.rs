//! Scorers: how good each choice would be.
//!
//! Scores are shares and ratios, never ranks or the spread between best and worst: a small difference stays small, and a
//! weight means the same in an idle fleet and in a busy one.

mod cost;
mod dynamo_cost;
mod kv_headroom;
mod label_preference;
mod latency;
mod least_queued_tokens;
mod least_requests;
mod length_fit;
mod lmetric;
mod lora_affinity;
mod predicted_ttft;
mod prefix_affinity;
mod session_affinity;
mod static_weight;

pub use dynamo_cost::{DynamoCost, DynamoCostParams};
pub use kv_headroom::KvHeadroom;
pub use label_preference::{LabelPreference, LabelPreferenceParams};
pub use latency::{Latency, LatencyParams};
pub use least_queued_tokens::{LeastQueuedTokens, LeastQueuedTokensParams};
pub use least_requests::LeastRequests;
pub use length_fit::{LengthFit, LengthFitParams};
pub use lmetric::{LMetric, LMetricParams, WorkUnit};
pub use lora_affinity::{LoraAffinity, LoraAffinityParams};
pub use predicted_ttft::PredictedTtft;
pub use prefix_affinity::{PrefixAffinity, PrefixAffinityParams};
pub use session_affinity::{SessionAffinity, SessionAffinityParams};
pub use static_weight::StaticWeight;

use super::NoParams;
use crate::pipeline::Registry;

/// The score of candidates about which nothing is known.
const NEUTRAL: f32 = 0.5;

pub(crate) fn register(registry: &mut Registry) {
    registry
        .scorer("dynamo-cost", DynamoCost::new)
        .scorer("kv-headroom", |NoParams {}| Ok(KvHeadroom))
        .scorer("label-preference", LabelPreference::new)
        .scorer("latency", Latency::new)
        .scorer("least-queued-tokens", LeastQueuedTokens::new)
        .scorer("least-requests", |NoParams {}| Ok(LeastRequests))
        .scorer("length-fit", LengthFit::new)
        .scorer("lmetric", |params: LMetricParams| Ok(LMetric::new(params)))
        .scorer("lora-affinity", LoraAffinity::new)
        .scorer("predicted-ttft", |NoParams {}| Ok(PredictedTtft))
        .scorer("prefix-affinity", |params: PrefixAffinityParams| {
            Ok(PrefixAffinity::new(params))
        })
        .scorer("session-affinity", SessionAffinity::new)
        .scorer("static-weight", |NoParams {}| Ok(StaticWeight));
}

//! Who waits when no endpoint has room. The defaults are the core's own.

use std::num::{NonZeroU32, NonZeroU64};

use gateway_core::{
    admission::{AdmissionPolicy, Class, QueueLimits},
    pipeline::RoomLimits,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Pause, Span};

/// Who waits when no endpoint has room, and who goes first.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdmissionFile {
    /// Whether requests wait here. Else engines queue them all, whatever their priority.
    pub enabled: bool,
    /// An endpoint has room while a request is predicted to wait there no longer than this before its own prompt begins.
    pub wait_at_engine: Pause,
    /// Requests at an endpoint from which on it has no room, whatever is predicted; none where unset.
    pub requests_at_engine: Option<NonZeroU32>,
    /// Requests that may wait for one model.
    pub requests: NonZeroU32,
    /// Their tokens, prompts and expected output; a single request may have more.
    pub tokens: NonZeroU64,
    /// Tokens that one caller may send in its turn, while others of its class wait.
    pub quantum_tokens: NonZeroU32,
    /// Classes of priorities.
    pub classes: Vec<ClassFile>,
}

/// A class of requests that wait.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassFile {
    /// Its name, in metrics.
    pub name: String,
    /// The least priority it takes, up to that of the next class above; the lowest class takes what is below it, too.
    pub from: i8,
    /// Requests that may wait in it for one model; as many as in all classes where unset.
    #[serde(default)]
    pub requests: Option<NonZeroU32>,
    /// Their tokens; as many as in all classes where unset.
    #[serde(default)]
    pub tokens: Option<NonZeroU64>,
    /// How long one of them may wait.
    #[serde(default = "wait_at_most")]
    pub wait_at_most: Span,
    /// The least part of all tokens that it gets while classes above it have requests waiting, 0 to 1.
    #[serde(default)]
    pub share: f32,
}

fn wait_at_most() -> Span {
    Span(std::time::Duration::from_mins(5))
}

impl Default for AdmissionFile {
    fn default() -> Self {
        let (room, policy) = (RoomLimits::default(), AdmissionPolicy::default());
        let QueueLimits {
            requests,
            tokens,
            quantum_tokens,
        } = *policy.limits();
        let some = |count| NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
        Self {
            enabled: true,
            wait_at_engine: Pause(room.wait),
            requests_at_engine: room.requests.and_then(NonZeroU32::new),
            requests: some(requests),
            tokens: NonZeroU64::new(tokens).unwrap_or(NonZeroU64::MIN),
            quantum_tokens: some(quantum_tokens),
            classes: policy.classes().iter().map(ClassFile::from).collect(),
        }
    }
}

impl From<&Class> for ClassFile {
    fn from(class: &Class) -> Self {
        Self {
            name: class.name.clone(),
            from: class.from,
            requests: NonZeroU32::new(class.requests),
            tokens: NonZeroU64::new(class.tokens),
            wait_at_most: Span(class.wait_at_most),
            share: class.share,
        }
    }
}

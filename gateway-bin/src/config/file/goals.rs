//! What requests are to achieve, and where what was learned is kept.

use std::path::PathBuf;

use gateway_core::Objectives;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Span;

/// Times that requests are to meet which bring none themselves.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectivesFile {
    /// Time to the first token; a policy's own default where unset.
    pub ttft: Option<Span>,
    /// Mean time per token after the first; a policy's own default where unset.
    pub tpot: Option<Span>,
    /// A request whose first token is predicted to come later than this on every endpoint is refused; none where unset.
    pub deadline: Option<Span>,
}

impl From<ObjectivesFile> for Objectives {
    fn from(file: ObjectivesFile) -> Self {
        let ms = |time: Option<Span>| time.map(|Span(time)| time.as_secs_f32() * 1_000.0);
        Self {
            ttft_ms: ms(file.ttft),
            tpot_ms: ms(file.tpot),
            deadline_ms: ms(file.deadline),
        }
    }
}

/// What was learned of engines and of output lengths, over restarts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StateFile {
    /// Where it is kept: written every minute and at the end, read at the start. It is a cache: losing it costs a few
    /// requests of learning. Kept nowhere where unset.
    pub file: Option<PathBuf>,
}

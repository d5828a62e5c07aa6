//! A second engine beside a silent one.

use gateway_router::HedgeAfter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::values::{Span, TimeError, span, written};

/// When a second endpoint is asked for what a first one is silent on; the first answer that can be shown is the caller's,
/// and the other endpoint's work ends with it. Only for requests whose engine streams: no other shows when it begins.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HedgeFile {
    /// After how much silence: a time, `predicted` (more than 19 of 20 requests meet there, by what was predicted for this
    /// one), or `never`.
    pub after: SilenceFile,
    /// For how many requests of a hundred at most, in the long run. Each is paid for from the budget of `retry` as well.
    pub at_most_percent: u8,
}

impl Default for HedgeFile {
    fn default() -> Self {
        Self {
            after: SilenceFile(None),
            at_most_percent: 5,
        }
    }
}

/// How much silence; none at all where `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SilenceFile(pub Option<HedgeAfter>);

written!(
    SilenceFile,
    "a time above zero such as `800ms`, `predicted` or `never`",
    silence
);

fn silence(text: &str) -> Result<Option<HedgeAfter>, TimeError> {
    match text {
        "never" => Ok(None),
        "predicted" => Ok(Some(HedgeAfter::Predicted)),
        time => span(time).map(|span| Some(HedgeAfter::Span(span))),
    }
}

impl Serialize for SilenceFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            None => serializer.serialize_str("never"),
            Some(HedgeAfter::Predicted) => serializer.serialize_str("predicted"),
            Some(HedgeAfter::Span(span)) => Span(span).serialize(serializer),
        }
    }
}

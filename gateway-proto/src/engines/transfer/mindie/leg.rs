//! The prefill leg and its answer.

use std::fmt;
use std::net::Ipv4Addr;

use bytes::Bytes;
use serde::Deserialize;

use super::super::LegEdit;

/// The route on which a decode engine gives the answers to what prefill engines hand it.
pub const PATH: &str = "/dresult";

/// Where a prefill engine finds the decode engine: engines take no names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The decode engine's own address.
    pub host: Ipv4Addr,
    /// Its `interCommPort`, where several engines share the address.
    pub port: Option<u16>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{};{port}", self.host),
            None => write!(f, "{}", self.host),
        }
    }
}

/// The prefill leg of the request named `id`, hexadecimal digits, 1,024 at most.
#[must_use]
pub fn prefill(id: &str, target: Target) -> LegEdit {
    LegEdit::default()
        .header("req-type", "prefill")
        .header("req-id", id)
        .header("d-target", target.to_string())
}

/// The same of a request that a decode engine threw out, with the body that it gave for it.
#[must_use]
pub fn recompute(id: &str, target: Target, body: Bytes) -> LegEdit {
    prefill(id, target)
        .header("is-recompute", "true")
        .instead(body)
}

/// A prefill engine's good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The beginning of the answer: of one that streams its first events, of another nothing, but where it is the end too
    /// all of it.
    pub first: Bytes,
    /// Whether nothing follows, and nothing was handed over.
    pub is_last: bool,
}

/// Reads a prefill engine's answer to the request `id`; `None` where it is none, or not to this request.
#[must_use]
pub fn answered(answer: &[u8], id: &str) -> Option<Answered> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Told {
        req_id: String,
        is_stream: bool,
        #[serde(default)]
        is_last_resp: bool,
        output: Option<String>,
    }
    let told: Told = serde_json::from_slice(answer).ok()?;
    let has_output = told.output.is_some() || !(told.is_stream || told.is_last_resp);
    (told.req_id == id && has_output).then(|| Answered {
        first: told.output.unwrap_or_default().into(),
        is_last: told.is_last_resp,
    })
}

/// The route on which an engine is told to give a request up, with `{"id": ...}`; `None` for a model that no such engine can
/// have.
#[must_use]
pub fn stop_path(model: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let can_be = !model.is_empty() && model.chars().all(is_plain);
    can_be.then(|| format!("/v2/models/{model}/stopInfer"))
}

/// Whether an engine's words blame the hand-over, and not the engine that says them.
#[must_use]
pub fn blames_transfer(message: &str) -> bool {
    ["Pull kv failed", "Send D request failed"]
        .iter()
        .any(|words| message.contains(words))
}

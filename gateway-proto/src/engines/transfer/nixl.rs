//! vLLM's `NixlConnector`. Source: vLLM 0.33, `distributed/kv_transfer/kv_connector/v1/nixl`.
//!
//! What the prefill engine hands over names blocks that it holds for one reader and for a while (30 s, longer while the
//! reader says it lives). Used a second time it gives wrong tokens under a polite 200.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::LegEdit;

const PARAMS: &str = "kv_transfer_params";

/// Without one of these the decode engine computes the prompt itself, in silence.
#[derive(Deserialize)]
struct Needed {
    #[serde(default)]
    do_remote_prefill: bool,
    remote_engine_id: Option<serde::de::IgnoredAny>,
    remote_host: Option<serde::de::IgnoredAny>,
    remote_port: Option<serde::de::IgnoredAny>,
}

#[derive(Serialize)]
struct Asked {
    do_remote_decode: bool,
    do_remote_prefill: bool,
    remote_engine_id: Option<()>,
    remote_block_ids: Option<()>,
    remote_host: Option<()>,
    remote_port: Option<()>,
}

/// The prefill leg.
#[must_use]
pub fn prefill() -> LegEdit {
    let asked = Asked {
        do_remote_decode: true,
        do_remote_prefill: false,
        remote_engine_id: None,
        remote_block_ids: None,
        remote_host: None,
        remote_port: None,
    };
    LegEdit::default().whole().one_token().set(PARAMS, &asked)
}

/// The decode leg, from the prefill engine's answer; `None` where it handed nothing over that a decode engine can use.
#[must_use]
pub fn decode(answer: &[u8]) -> Option<LegEdit> {
    #[derive(Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        kv_transfer_params: Option<&'a RawValue>,
    }
    let answer: Answer<'_> = serde_json::from_slice(answer).ok()?;
    let params = answer.kv_transfer_params?;
    let needed: Needed = serde_json::from_str(params.get()).ok()?;
    let is_whole = needed.do_remote_prefill
        && needed.remote_engine_id.is_some()
        && needed.remote_host.is_some()
        && needed.remote_port.is_some();
    is_whole.then(|| LegEdit::default().set_raw(PARAMS, params.to_owned()))
}

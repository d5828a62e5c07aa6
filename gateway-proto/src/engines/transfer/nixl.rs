//! vLLM's `NixlConnector`. Source: vLLM 0.33, `distributed/kv_transfer/kv_connector/v1/nixl`.
//!
//! What the prefill engine hands over names blocks that it holds for one reader and for a while (30 s, longer while the
//! reader says it lives). Used a second time it gives wrong tokens under a polite 200.

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::LegEdit;

const PARAMS: &str = "kv_transfer_params";

type Any = Option<IgnoredAny>;

/// Without one of these the decode engine computes the prompt itself, in silence.
#[derive(Deserialize)]
struct Needed {
    #[serde(default)]
    do_remote_prefill: bool,
    remote_engine_id: Any,
    remote_host: Any,
    remote_port: Any,
    /// Told and needed since vLLM 0.14.
    remote_request_id: Any,
    #[serde(flatten)]
    later: Later,
}

/// What only versions say that say the request's id too.
#[derive(Deserialize)]
struct Later {
    dcp_size: Any,
    pp_size: Any,
    remote_num_tokens: Any,
    remote_registration_generation: Any,
    transfer_mode: Any,
}

impl Needed {
    fn is_whole(&self) -> bool {
        self.do_remote_prefill
            && self.remote_engine_id.is_some()
            && self.remote_host.is_some()
            && self.remote_port.is_some()
            && (self.remote_request_id.is_some() || !self.later.is_told())
    }
}

impl Later {
    fn is_told(&self) -> bool {
        self.dcp_size.is_some()
            || self.pp_size.is_some()
            || self.remote_num_tokens.is_some()
            || self.remote_registration_generation.is_some()
            || self.transfer_mode.is_some()
    }
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
    needed
        .is_whole()
        .then(|| LegEdit::default().set_raw(PARAMS, params.to_owned()))
}

//! What one leg of a pair is asked for, as its body says.

use gateway_router::engine::GenerateCall;
use serde_json::Value;

/// What one leg is asked for besides its call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing: it serves the whole request.
    Whole,
    /// NIXL: to hold the prompt for somebody.
    Hold,
    /// TensorRT-LLM: the same, unless the first token is the last.
    HoldOrFinish,
    /// To fetch what is held under this number.
    Fetch(u64),
    /// Mooncake: to give the prompt to the other leg of this transfer.
    Give(u64),
    /// Mooncake: to take it from the process that this names.
    Take(u64, String),
    /// SGLang: to meet the other leg in this room, whichever it is.
    Meet(u64),
}

impl Part {
    /// Of a call by tokens.
    pub(super) fn of_call(call: &GenerateCall) -> Self {
        let Some(edit) = &call.edit else {
            return Self::Whole;
        };
        let body = edit.apply(b"{}").expect("an object");
        Self::of(&serde_json::from_slice(&body).expect("JSON"))
    }

    /// Of the members of a body.
    pub(super) fn of(body: &Value) -> Self {
        let (params, trt) = (&body["kv_transfer_params"], &body["disaggregated_params"]);
        let transfer = params["transfer_id"].as_str();
        if let Some(id) = transfer.and_then(|id| u64::from_str_radix(id, 16).ok()) {
            return match params["remote_engine_id"].as_str() {
                Some(peer) => Self::Take(id, peer.to_owned()),
                None => Self::Give(id),
            };
        }
        if trt["request_type"] == "context_only" {
            return Self::HoldOrFinish;
        }
        if params["do_remote_decode"] == true {
            return Self::Hold;
        }
        if let Some(number) = params["number"].as_u64().or(trt["ctx_request_id"].as_u64()) {
            return Self::Fetch(number);
        }
        let room = body["bootstrap_room"].as_u64();
        room.map_or(Self::Whole, Self::Meet)
    }

    /// Whether it is nothing but the prompt's half.
    pub(super) fn is_prefill(&self) -> bool {
        matches!(self, Self::Hold | Self::HoldOrFinish | Self::Give(_))
    }
}

//! TensorRT-LLM's `disaggregated_params`, context first. Source: `tensorrt_llm/serve/openai_disagg_service.py` and
//! `openai_protocol.py` (2026).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::LegEdit;
use crate::ir::Fields;

const PARAMS: &str = "disaggregated_params";

#[derive(Serialize)]
struct Asked {
    request_type: &'static str,
    disagg_request_id: u64,
}

/// The prefill leg; `id` is unique among live requests, 63 bits.
#[must_use]
pub fn prefill(id: u64) -> LegEdit {
    let asked = Asked {
        request_type: "context_only",
        disagg_request_id: id & super::sglang::ROOMS,
    };
    LegEdit::default().whole().set(PARAMS, &asked)
}

/// What a prefill engine's answer means.
#[derive(Debug)]
pub enum Answered {
    /// The decode leg goes on with this.
    HandedOver(LegEdit),
    /// The answer is over with its first token: it is the caller's.
    Finished,
    /// Nothing was handed over.
    Nothing,
}

/// Reads the prefill engine's answer. `is_chat` tells the route, which decides how the prompt's ids are given.
#[must_use]
pub fn answered(answer: &[u8], is_chat: bool) -> Answered {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(default)]
        choices: Vec<Choice>,
        prompt_token_ids: Option<Box<RawValue>>,
    }
    #[derive(Deserialize)]
    struct Choice {
        finish_reason: Option<String>,
        disaggregated_params: Option<Fields>,
    }
    let Ok(answer) = serde_json::from_slice::<Answer>(answer) else {
        return Answered::Nothing;
    };
    let Some(choice) = answer.choices.into_iter().next() else {
        return Answered::Nothing;
    };
    match choice.finish_reason.as_deref() {
        None | Some("length" | "not_finished") => {}
        Some(_) => return Answered::Finished,
    }
    let Some(mut params) = choice.disaggregated_params else {
        return Answered::Nothing;
    };
    if params.put("request_type", "generation_only").is_err() {
        return Answered::Nothing;
    }
    let edit = LegEdit::default().set(PARAMS, &params);
    let name = if is_chat {
        "prompt_token_ids"
    } else {
        "prompt"
    };
    Answered::HandedOver(match answer.prompt_token_ids {
        Some(ids) => edit.set_raw(name, ids),
        None => edit,
    })
}

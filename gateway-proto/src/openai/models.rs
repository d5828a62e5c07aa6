//! The models list, `GET /v1/models`.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::CodecError;

/// One entry of a models list. Engines add fields of their own; the ones below are those that routing can use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The name to put into requests.
    pub id: String,
    /// Unix seconds; OpenAI demands it, some engines leave it out.
    #[serde(default)]
    pub created: u64,
    /// `vllm`, `sglang`, or whoever answers for the model.
    #[serde(default)]
    pub owned_by: String,
    /// Longest sequence, prompt and answer, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_model_len: Option<u64>,
    /// The path or name the engine loaded the model from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// For a LoRA adapter, the `id` of its base model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

#[derive(Deserialize)]
struct ListIn {
    data: Vec<ModelCard>,
}

#[derive(Serialize)]
struct ListOut<'a> {
    object: &'static str,
    data: Vec<CardOut<'a>>,
}

#[derive(Serialize)]
struct CardOut<'a> {
    object: &'static str,
    #[serde(flatten)]
    card: &'a ModelCard,
}

/// Reads a models list; fields that are not known are dropped.
///
/// # Errors
/// [`CodecError::Json`] when the body is not a list of objects with an `id`.
pub fn decode_models(body: &[u8]) -> Result<Vec<ModelCard>, CodecError> {
    let list: ListIn = serde_json::from_slice(body)?;
    Ok(list.data)
}

/// Writes a models list.
#[must_use]
pub fn encode_models(cards: &[ModelCard]) -> Bytes {
    let data = cards
        .iter()
        .map(|card| CardOut {
            object: "model",
            card,
        })
        .collect();
    let list = ListOut {
        object: "list",
        data,
    };
    serde_json::to_vec(&list)
        .expect("plain data always serialises into memory")
        .into()
}

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
    data: Vec<CardIn>,
}

#[derive(Deserialize)]
struct CardIn {
    #[serde(flatten)]
    card: ModelCard,
    #[serde(default)]
    meta: Option<Meta>,
}

/// What llama.cpp's server tells of a model.
#[derive(Deserialize)]
struct Meta {
    /// Tokens of one slot.
    #[serde(default)]
    n_ctx: Option<u64>,
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
    let cards = list.data.into_iter();
    Ok(cards.map(CardIn::into_card).collect())
}

impl CardIn {
    fn into_card(self) -> ModelCard {
        let mut card = self.card;
        let told = self.meta.and_then(|meta| meta.n_ctx);
        card.max_model_len = card.max_model_len.or(told);
        card
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::testing::reply_body;

    #[test]
    fn recorded_lists() {
        let read =
            |capture| decode_models(reply_body(capture).as_bytes()).expect("a recorded list");
        let vllm = read(include_str!("../../testdata/vllm/models.txt"));
        assert_eq!(
            (vllm[0].id.as_str(), vllm[0].max_model_len),
            ("tiny-qwen3", Some(4096))
        );
        assert_eq!(
            (vllm[0].owned_by.as_str(), vllm[0].root.as_deref()),
            ("vllm", Some("models/tiny-qwen3"))
        );
        let sglang = read(include_str!("../../testdata/sglang/models.txt"));
        assert_eq!(
            (sglang[0].owned_by.as_str(), &sglang[0].parent),
            ("sglang", &None)
        );
        let llamacpp = read(include_str!("../../testdata/llamacpp/models.txt"));
        assert_eq!(
            (llamacpp[0].owned_by.as_str(), llamacpp[0].max_model_len),
            ("llamacpp", Some(2048))
        );
        for list in [vllm, sglang] {
            assert_eq!(decode_models(&encode_models(&list)).expect("our own"), list);
        }
    }

    #[test]
    fn entries_need_an_id() {
        assert!(decode_models(br#"{"data":[{"object":"model"}]}"#).is_err());
        assert!(decode_models(b"<html>").is_err());
        assert_eq!(
            decode_models(br#"{"data":[{"id":"m"}]}"#).expect("a bare list")[0].id,
            "m"
        );
    }
}

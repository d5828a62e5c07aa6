//! A first look at `tokenizer.json`: is it whole, and how is it built?

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokenizers::{DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper};

use super::error::TokenizerError;

/// The parts of the file that say how it works; the vocabulary is only checked to be there.
#[derive(Debug, Deserialize)]
pub(super) struct Shape {
    model: Option<Model>,
    #[serde(default)]
    pub(super) normalizer: Value,
    #[serde(default)]
    pub(super) pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    #[serde(default)]
    pub(super) decoder: Value,
}

#[derive(Debug, Deserialize)]
struct Model {
    vocab: Option<IgnoredAny>,
    dropout: Option<f32>,
}

impl Shape {
    /// # Errors
    /// The file ends early, lacks its vocabulary, or has a part of no known kind.
    pub(super) fn read(file: &[u8]) -> Result<Self, TokenizerError> {
        let shape: Self =
            serde_json::from_slice(file).map_err(|source| TokenizerError::Syntax {
                file: "tokenizer.json",
                source,
            })?;
        let model = shape
            .model
            .as_ref()
            .ok_or(TokenizerError::Missing("model"))?;
        if model.vocab.is_none() {
            return Err(TokenizerError::Missing("model.vocab"));
        }
        // One by one, because the reader of the whole file does not say which part it stumbled over.
        part::<NormalizerWrapper>("normalizer", &shape.normalizer)?;
        part::<PreTokenizerWrapper>("pre_tokenizer", &shape.pre_tokenizer)?;
        part::<PostProcessorWrapper>("post_processor", &shape.post_processor)?;
        part::<DecoderWrapper>("decoder", &shape.decoder)?;
        Ok(shape)
    }

    /// Whether equal texts may get different ids.
    pub(super) fn is_random(&self) -> bool {
        let model = self.model.as_ref();
        model.is_some_and(|model| model.dropout.is_some_and(|dropout| dropout > 0.0))
    }
}

/// Reads a part and, before it, the steps that it is a sequence of: the error is about the innermost that is wrong.
fn part<T: for<'de> Deserialize<'de>>(
    name: &'static str,
    value: &Value,
) -> Result<(), TokenizerError> {
    if value.is_null() {
        return Ok(());
    }
    let lists = ["normalizers", "pretokenizers", "processors", "decoders"];
    for step in lists
        .iter()
        .filter_map(|list| value[*list].as_array())
        .flatten()
    {
        part::<T>(name, step)?;
    }
    match T::deserialize(value) {
        Ok(_) => Ok(()),
        Err(error) => Err(TokenizerError::Part {
            part: name,
            kind: value["type"].as_str().unwrap_or("unknown").to_owned(),
            reason: error.into(),
        }),
    }
}

//! What `tokenizer_config.json` changes about a tokenizer.
//!
//! The rules are those of `transformers` 5 (`TokenizersBackend`): tokens of `added_tokens_decoder` that `tokenizer.json`
//! does not have as they are, and all named special tokens, are added to the vocabulary. `add_bos_token` and
//! `add_eos_token` have no effect: where there is a `tokenizer.json`, its post-processor alone decides what stands around a
//! text. (Version 4 heeded them in the Llama classes.) Nor has `legacy`, which is about files of another kind.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use tokenizers::AddedToken;

use super::error::TokenizerError;

/// Named special tokens, in the order in which `transformers` adds them.
const NAMES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    split_special_tokens: Option<bool>,
    added_tokens_decoder: Option<BTreeMap<u32, Token>>,
    additional_special_tokens: Option<Value>,
    extra_special_tokens: Option<Value>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// A token as configuration files write it: its text, or its text with how it is matched.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Token {
    Text(String),
    Added {
        content: String,
        #[serde(default)]
        single_word: bool,
        #[serde(default)]
        lstrip: bool,
        #[serde(default)]
        rstrip: bool,
        normalized: Option<bool>,
        #[serde(default)]
        special: bool,
    },
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Added { content: text, .. } => text,
        }
    }

    fn added(&self) -> AddedToken {
        match self {
            Self::Text(text) => AddedToken::from(text, true),
            Self::Added {
                content,
                single_word,
                lstrip,
                rstrip,
                normalized,
                special,
            } => AddedToken::from(content, *special)
                .single_word(*single_word)
                .lstrip(*lstrip)
                .rstrip(*rstrip)
                .normalized(normalized.unwrap_or(!special)),
        }
    }
}

impl Config {
    /// # Errors
    /// The file is no JSON object of the known shape.
    pub(super) fn read(file: &[u8]) -> Result<Self, TokenizerError> {
        serde_json::from_slice(file).map_err(|source| TokenizerError::Syntax {
            file: "tokenizer_config.json",
            source,
        })
    }

    /// Special tokens in a text to encode are ordinary text.
    pub(super) fn splits_special(&self) -> bool {
        self.split_special_tokens == Some(true)
    }

    /// The text of the special token called `name`, such as `bos_token`.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, String)> {
        let found = |name: &'static str| Some((name, self.token(name)?.text().to_owned()));
        NAMES.into_iter().filter_map(found)
    }

    fn token(&self, name: &str) -> Option<Token> {
        Token::deserialize(self.others.get(name)?).ok()
    }

    /// Tokens to add as they are written down.
    pub(super) fn listed(&self) -> Vec<AddedToken> {
        let listed = self.added_tokens_decoder.iter().flatten();
        listed.map(|(_, token)| token.added()).collect()
    }

    /// Tokens to add as special ones.
    pub(super) fn special(&self) -> Vec<AddedToken> {
        let named = NAMES.into_iter().filter_map(|name| self.token(name));
        let lists = [&self.additional_special_tokens, &self.extra_special_tokens];
        named
            .chain(lists.into_iter().flatten().flat_map(tokens_of))
            .map(|token| self.as_listed(token).added().special(true))
            .collect()
    }

    /// A token that is only named is matched as the list of added tokens says.
    fn as_listed(&self, token: Token) -> Token {
        let mut listed = self.added_tokens_decoder.iter().flatten();
        match &token {
            Token::Text(text) => listed
                .find(|(_, other)| other.text() == text)
                .map_or(token.clone(), |(_, other)| other.clone()),
            Token::Added { .. } => token,
        }
    }
}

/// The tokens of a list, or of a map from names to tokens.
fn tokens_of(value: &Value) -> Vec<Token> {
    let read = |value: &Value| Token::deserialize(value).ok();
    match value {
        Value::Array(items) => items.iter().filter_map(read).collect(),
        Value::Object(items) => items.values().filter_map(read).collect(),
        _ => Vec::new(),
    }
}

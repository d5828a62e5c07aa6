//! Why a tokenizer file is refused.

use std::error::Error;

use thiserror::Error;

type Cause = Box<dyn Error + Send + Sync>;

/// A tokenizer cannot be loaded, or a text cannot be encoded.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The file is no JSON, or ends early.
    #[error("{file} is no valid JSON: {source}")]
    Syntax {
        /// Which file.
        file: &'static str,
        /// What the reader says, with line and column.
        source: serde_json::Error,
    },
    /// `tokenizer.json` lacks a part that every tokenizer has.
    #[error("tokenizer.json has no `{0}`")]
    Missing(&'static str),
    /// A part of `tokenizer.json` is understood by no known tokenizer.
    #[error("tokenizer.json: `{part}` of type {kind}: {reason}")]
    Part {
        /// The member of the file.
        part: &'static str,
        /// The type that it names.
        kind: String,
        /// What is wrong with it.
        reason: Cause,
    },
    /// The parts are sound by themselves and do not fit together.
    #[error("tokenizer.json: {0}")]
    Whole(Cause),
    /// A token id is larger than any real vocabulary.
    #[error("tokenizer.json gives the token {token:?} the id {id}, over the limit of {limit}")]
    IdTooLarge {
        /// The token.
        token: String,
        /// Its id.
        id: u32,
        /// The largest id that is taken.
        limit: u32,
    },
    /// The configuration names a token that cannot be added to the vocabulary.
    #[error("tokenizer_config.json: special tokens: {0}")]
    Special(Cause),
    /// The text cannot be encoded.
    #[error("encoding: {0}")]
    Encode(Cause),
}

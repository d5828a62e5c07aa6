//! Token ids that the model has no token for: engines answer them with errors of their own, and one of them with its death.

use super::{PrepareError, TextModel};
use crate::ir::Request;

impl TextModel {
    /// # Errors
    /// The first of `ids`, the value at `path`, that is beyond the vocabulary.
    pub(super) fn check_ids(&self, ids: &[u32], path: &str) -> Result<(), PrepareError> {
        match ids.iter().position(|id| self.lacks(*id)) {
            None => Ok(()),
            Some(at) => Err(self.no_token(ids[at], format!("{path}[{at}]"))),
        }
    }

    /// # Errors
    /// The first biased token that is beyond the vocabulary.
    pub(super) fn check_bias(&self, pairs: &[(u32, f64)]) -> Result<(), PrepareError> {
        match pairs.iter().find(|(id, _)| self.lacks(*id)) {
            None => Ok(()),
            Some((id, _)) => Err(self.no_token(*id, format!("logit_bias.{id}"))),
        }
    }

    /// What is no list of ids is told where wishes are read.
    ///
    /// # Errors
    /// The first allowed token that is beyond the vocabulary.
    pub(super) fn check_allowed(&self, request: &Request) -> Result<(), PrepareError> {
        const FIELD: &str = "allowed_token_ids";
        let allowed = request.extra.raw(FIELD).map(serde_json::from_str);
        let allowed: Vec<u32> = allowed.and_then(Result::ok).unwrap_or_default();
        self.check_ids(&allowed, FIELD)
    }

    fn lacks(&self, id: u32) -> bool {
        id as usize >= self.tokenizer.vocab_size()
    }

    fn no_token(&self, id: u32, path: String) -> PrepareError {
        PrepareError::TokenId {
            path,
            id,
            vocabulary: self.tokenizer.vocab_size(),
        }
    }
}

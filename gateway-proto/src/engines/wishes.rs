//! Wishes beyond the neutral form: those that some wires have words for, and those that no answer by tokens can fulfil.

use serde::de::DeserializeOwned;

use super::Unsupported;
use crate::error::ApiError;
use crate::ir::{Fields, Request};

/// What a caller may ask for of a few engines only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Texts that must not be written (vLLM).
    pub bad_words: Vec<String>,
    /// The only tokens that may be written, in vLLM's sense; where it is empty, all may.
    pub allowed_token_ids: Vec<u32>,
}

/// A wish that cannot be fulfilled by any engine that takes token ids. It is the caller's to leave out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WishError {
    /// What it asks for would be lost.
    #[error("'{field}' is not supported for this model: it is served by tokens. Leave it out.")]
    Unsupported {
        /// The request's member.
        field: &'static str,
    },
    /// A member of the wrong type.
    #[error("Invalid '{field}': expected {expected}.")]
    Invalid {
        /// The request's member.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The tokens of a prompt have no probabilities in an answer.
    #[error(
        "'echo' with 'logprobs' is not supported for this model: the log probabilities of a prompt are not told. Leave \
         out the one or the other."
    )]
    EchoedLogprobs,
}

/// Members that change an answer and that no wire carries, each with the values that change nothing.
const UNSUPPORTED: &[(&str, &[&str])] = &[
    ("suffix", &["\"\""]),
    ("prompt_logprobs", &[]),
    ("use_beam_search", &["false"]),
    ("skip_special_tokens", &["true"]),
    ("truncate_prompt_tokens", &[]),
    ("stop_regex", &["\"\"", "[]"]),
    ("logits_processors", &["[]"]),
    ("custom_logit_processor", &[]),
    ("return_hidden_states", &["false"]),
    ("prompt_embeds", &[]),
    ("audio", &[]),
    ("modalities", &["[\"text\"]", "[]"]),
    ("web_search_options", &[]),
];

impl Wishes {
    /// Of a request.
    ///
    /// # Errors
    /// Where it asks for what would be dropped in silence otherwise.
    pub fn of(request: &Request) -> Result<Self, WishError> {
        let extra = &request.extra;
        if request.echo && request.logprobs.is_some() {
            return Err(WishError::EchoedLogprobs);
        }
        for (field, neutral) in UNSUPPORTED {
            let said = extra.raw(field).filter(|raw| *raw != "null");
            if said.is_some_and(|raw| !neutral.contains(&raw)) {
                return Err(WishError::Unsupported { field });
            }
        }
        // As many candidates as answers leave nothing to choose from.
        let candidates: Option<u32> = read(extra, "best_of", "a number")?;
        if candidates.is_some_and(|of| of > request.sampling.n.unwrap_or(1)) {
            return Err(WishError::Unsupported { field: "best_of" });
        }
        let (words, ids) = ("a list of texts", "a list of token ids");
        Ok(Self {
            bad_words: read(extra, "bad_words", words)?.unwrap_or_default(),
            allowed_token_ids: read(extra, "allowed_token_ids", ids)?.unwrap_or_default(),
        })
    }

    /// The first wish of those that `engine` cannot do on token ids.
    pub(super) fn refuse(&self, engine: &'static str, can_ids: bool) -> Result<(), Unsupported> {
        let refuse = |field| Err(Unsupported::Field { engine, field });
        if !self.bad_words.is_empty() {
            return refuse("bad_words");
        }
        if !can_ids && !self.allowed_token_ids.is_empty() {
            return refuse("allowed_token_ids");
        }
        Ok(())
    }
}

impl WishError {
    /// The error as the caller gets it: a 400 that names the member.
    #[must_use]
    pub fn to_api(&self) -> ApiError {
        let (code, field) = match self {
            Self::Unsupported { field } => ("unsupported_parameter", *field),
            Self::Invalid { field, .. } => ("invalid_type", *field),
            Self::EchoedLogprobs => ("unsupported_parameter", "logprobs"),
        };
        let api = ApiError::invalid_request(self.to_string());
        api.with_code(code).with_param(field)
    }
}

fn read<T: DeserializeOwned>(
    extra: &Fields,
    field: &'static str,
    expected: &'static str,
) -> Result<Option<T>, WishError> {
    let Some(raw) = extra.raw(field) else {
        return Ok(None);
    };
    serde_json::from_str(raw).map_err(|_| WishError::Invalid { field, expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::completions;

    fn wishes(members: &str) -> Result<Wishes, WishError> {
        let body = format!(r#"{{"model":"m","prompt":"p",{members}}}"#);
        Wishes::of(&completions::decode_request(body.as_bytes()).expect("a good body"))
    }

    #[test]
    fn what_would_be_dropped_is_refused_by_name_and_what_changes_nothing_is_not() {
        for (members, field) in [
            (r#""suffix":"}""#, "suffix"),
            (r#""prompt_logprobs":0"#, "prompt_logprobs"),
            (r#""best_of":2"#, "best_of"),
            (r#""n":2,"best_of":3"#, "best_of"),
            (r#""skip_special_tokens":false"#, "skip_special_tokens"),
            (r#""modalities":["audio"]"#, "modalities"),
            (r#""bad_words":"a""#, "bad_words"),
            (r#""allowed_token_ids":[-1]"#, "allowed_token_ids"),
            (r#""echo":true,"logprobs":0"#, "logprobs"),
        ] {
            let api = wishes(members).expect_err(members).to_api();
            assert_eq!((api.status, api.param.as_deref()), (400, Some(field)));
            assert!(api.message.contains(field), "{}", api.message);
        }
        for members in [
            r#""suffix":null,"prompt_logprobs":null,"best_of":null"#,
            r#""suffix":"","n":2,"best_of":2,"skip_special_tokens":true"#,
            r#""use_beam_search":false,"user":"u","echo":true"#,
        ] {
            assert_eq!(wishes(members), Ok(Wishes::default()), "{members}");
        }
    }
}

//! What can go wrong before an engine is asked.

use crate::error::ApiError;
use crate::text::detokenize::StopOptionsError;
use crate::text::template::TemplateError;
use crate::text::tokenize::TokenizerError;

/// Why a model cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// `tokenizer.json` is broken.
    #[error("tokenizer.json: {0}")]
    Tokenizer(#[from] TokenizerError),
    /// The chat template is broken.
    #[error("chat template: {0}")]
    Template(#[from] TemplateError),
    /// A file is no JSON of its form.
    #[error("{file}: {source}")]
    Json {
        /// The file.
        file: &'static str,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// No token is known to end an answer.
    #[error(
        "no token ends an answer: neither generation_config.json, config.json nor tokenizer_config.json names one; set \
         `stop_token_ids`"
    )]
    NoEnd,
    /// A stop token that the vocabulary does not have.
    #[error("stop token {id} is out of the vocabulary of {vocabulary} tokens")]
    StopToken {
        /// The token.
        id: u32,
        /// The vocabulary's size.
        vocabulary: usize,
    },
    /// The length of the context is not known.
    #[error("config.json does not say how long the context is; set `context_tokens`")]
    NoContext,
}

/// Why a request cannot become a prompt. Each is the caller's to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The template refuses, often in words of its own.
    #[error("The chat template of this model refuses the conversation: {0}")]
    Template(TemplateError),
    /// A conversation for a model without a template.
    #[error("This model has no chat template: use /v1/completions, or configure a template.")]
    NoTemplate,
    /// A template in the request.
    #[error("Templates in requests are not allowed for this model. Leave out 'chat_template'.")]
    RequestTemplate,
    /// The text could not be encoded.
    #[error("The prompt could not be tokenized: {0}")]
    Tokenizer(#[from] TokenizerError),
    /// An image, audio or a file, where the model takes tokens alone.
    #[error(
        "{path} is of type '{kind}', which this model does not take here: it is served by tokens. Send text, or use a \
         model that is configured to pass media through."
    )]
    Media {
        /// The part.
        path: String,
        /// Its type.
        kind: String,
    },
    /// A token that the model does not have.
    #[error("Token id {id} at {path} is out of the vocabulary of {vocabulary} tokens.")]
    TokenId {
        /// Where it stands.
        path: String,
        /// The token.
        id: u32,
        /// The vocabulary's size.
        vocabulary: usize,
    },
    /// No prompt at all.
    #[error("The prompt is empty. Send at least one token.")]
    Empty,
    /// The prompt alone does not fit.
    #[error(
        "This model's context is {context} tokens, but the prompt has {prompt}. Shorten the prompt."
    )]
    TooLong {
        /// Tokens of the prompt.
        prompt: u64,
        /// Tokens of the context.
        context: u64,
    },
    /// A schema that is none.
    #[error("The schema is not valid: {0}")]
    Schema(String),
    /// Stop texts that cannot be looked for.
    #[error("invalid 'stop': {0}")]
    Stops(#[from] StopOptionsError),
    /// Two constraints at once.
    #[error("{0}")]
    Conflict(&'static str),
}

impl PrepareError {
    /// The error as the caller gets it.
    #[must_use]
    pub fn to_api(&self) -> ApiError {
        let api = ApiError::invalid_request(self.to_string());
        let (code, param) = match self {
            Self::TooLong { .. } => ("context_length_exceeded", Some("messages".into())),
            Self::Media { path, .. } => ("unsupported_media", Some(path.clone())),
            Self::TokenId { path, .. } => ("token_out_of_vocabulary", Some(path.clone())),
            Self::Template(_) | Self::NoTemplate => ("template_refused", Some("messages".into())),
            Self::RequestTemplate => ("template_not_allowed", Some("chat_template".into())),
            Self::Schema(_) => ("invalid_schema", Some("response_format".into())),
            Self::Conflict(_) => ("conflicting_constraints", Some("response_format".into())),
            Self::Stops(_) => ("invalid_stop", Some("stop".into())),
            Self::Tokenizer(_) | Self::Empty => ("invalid_prompt", None),
        };
        let api = api.with_code(code);
        match param {
            Some(param) => api.with_param(param),
            None => api,
        }
    }
}

//! What a router reads from a request body: one pass over the bytes, no tree, no copy of content.
mod api;
mod error;
mod input;
mod keys;
mod messages;
mod parse;
mod prompt;
mod reserved;
#[cfg(test)]
mod route_tests;
mod scanner;
mod splice;
#[cfg(test)]
mod tests;
mod values;

use std::borrow::Cow;

pub use api::Api;
pub use error::{JsonKind, RequestError};

/// Bounds on what a body may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewLimits {
    /// Nesting of arrays and objects; at most 128.
    pub depth: usize,
    /// The greatest `n` and `best_of`.
    pub n: u32,
    /// The longest model name, in bytes.
    pub model_bytes: usize,
}

impl Default for ViewLimits {
    /// Depth 128, `n` of 128, model names of 512 bytes.
    fn default() -> Self {
        Self {
            depth: 128,
            n: 128,
            model_bytes: 512,
        }
    }
}

/// A range of bytes of the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes of `body` in this range; empty if `body` is not the one that was parsed and is too short.
    #[must_use]
    pub fn of(self, body: &[u8]) -> &[u8] {
        body.get(self.start..self.end).unwrap_or_default()
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// True for a range of no bytes.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The form of the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptShape {
    /// Chat messages, or the items of a response.
    Messages {
        /// How many.
        count: usize,
    },
    /// One text.
    Text,
    /// Several texts, each a prompt of its own.
    Texts {
        /// How many.
        count: usize,
    },
    /// One prompt as token ids.
    TokenIds {
        /// How many tokens.
        count: usize,
    },
    /// Several prompts as token ids.
    TokenIdLists {
        /// How many prompts.
        count: usize,
    },
}

/// How long the prompt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PromptSize {
    /// Tokens over all prompts of the request.
    pub tokens: u64,
    /// Counted, not estimated as a quarter of the bytes.
    pub exact: bool,
}

/// The facts of one request body, as places in it.
///
/// Text fields are [`Span`]s of the raw string contents without the quotes, escapes as they came: good for hashing;
/// [`RequestView::text`] decodes them. A field that is `null` counts as absent.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RequestView {
    /// Which API the body was read for.
    pub api: Api,
    /// The model asked for; empty where [`Api::requires_model`] is false and none was named.
    pub model: Box<str>,
    /// The value of `model`, quotes included; empty without one.
    pub model_span: Span,
    /// The value of `messages`, `prompt` or what the API has in their place (`input`, `documents`, `token_ids` ...),
    /// brackets or quotes included. Empty for a response that only continues a stored one.
    pub prompt_span: Span,
    /// The value of `system` (messages) or `instructions` (responses): what comes before the prompt.
    pub system_span: Option<Span>,
    /// The value of `tools`.
    pub tools_span: Option<Span>,
    /// The form of the prompt.
    pub shape: PromptShape,
    /// Its length.
    pub prompt_size: PromptSize,
    /// `stream`.
    pub stream: bool,
    /// Whether `stream_options` has been said; engines refuse it without `stream`.
    pub has_stream_options: bool,
    /// `stream_options.include_usage`.
    pub include_usage: bool,
    /// `n`, 1 when absent.
    pub n: u32,
    /// The most tokens to generate: `max_completion_tokens`, else `max_tokens`, or what the API has in their place.
    pub max_tokens: Option<u64>,
    /// `priority`, in the engine's own sense.
    pub priority: Option<i64>,
    /// `user`.
    pub user: Option<Span>,
    /// `prompt_cache_key`.
    pub prompt_cache_key: Option<Span>,
    /// `session_id`.
    pub session_id: Option<Span>,
    /// `cache_salt`: prompts with different salts share no cache.
    pub cache_salt: Option<Span>,
}

impl RequestView {
    /// Reads `body` as a request to `api`.
    ///
    /// Accepts exactly one JSON object (RFC 8259, UTF-8, nothing after it). Fields that are not known stay unread and
    /// untouched; of the known ones the types and ranges are checked that no engine accepts otherwise.
    ///
    /// # Errors
    /// A [`RequestError`] with the byte offset or the path of the field.
    pub fn parse(api: Api, body: &[u8], limits: &ViewLimits) -> Result<Self, RequestError> {
        parse::parse(api, body, limits)
    }

    /// The contents of a string field, decoded; `None` if `body` is another one or an escape is broken.
    #[must_use]
    pub fn text(body: &[u8], span: Span) -> Option<Cow<'_, str>> {
        scanner::decode_string(span.of(body))
    }

    /// Raw bytes that name the conversation: `session_id`, else `prompt_cache_key`, else `user`.
    #[must_use]
    pub fn session_key<'a>(&self, body: &'a [u8]) -> Option<&'a [u8]> {
        let span = self.session_id.or(self.prompt_cache_key).or(self.user)?;
        Some(span.of(body)).filter(|key| !key.is_empty())
    }

    /// The number of chat messages; 0 for completions.
    #[must_use]
    pub fn message_count(&self) -> usize {
        match self.shape {
            PromptShape::Messages { count } => count,
            _ => 0,
        }
    }
}

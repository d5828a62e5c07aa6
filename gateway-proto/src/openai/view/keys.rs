//! The top-level keys that a router reads.

use super::{Api, RequestError};

macro_rules! keys {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// A key that is read; every other is skipped.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Key { $($variant),* }

        impl Key {
            /// The key with this name.
            pub(super) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// Its name.
            pub(super) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

keys! {
    Model = "model",
    Messages = "messages",
    Prompt = "prompt",
    Input = "input",
    Text = "text",
    InputIds = "input_ids",
    TokenIds = "token_ids",
    Tokens = "tokens",
    Query = "query",
    Queries = "queries",
    Text1 = "text_1",
    Data1 = "data_1",
    Documents = "documents",
    Items = "items",
    Text2 = "text_2",
    Data2 = "data_2",
    System = "system",
    Instructions = "instructions",
    Tools = "tools",
    Stream = "stream",
    StreamOptions = "stream_options",
    SamplingParams = "sampling_params",
    N = "n",
    BestOf = "best_of",
    MaxTokens = "max_tokens",
    MaxCompletionTokens = "max_completion_tokens",
    MaxOutputTokens = "max_output_tokens",
    Temperature = "temperature",
    TopP = "top_p",
    PresencePenalty = "presence_penalty",
    FrequencyPenalty = "frequency_penalty",
    EncodingFormat = "encoding_format",
    Dimensions = "dimensions",
    TopN = "top_n",
    RequestIds = "rid",
    ReturnLogprob = "return_logprob",
    Priority = "priority",
    User = "user",
    PromptCache = "prompt_cache_key",
    SessionId = "session_id",
    CacheSalt = "cache_salt",
}

impl Key {
    /// Whether the key means to `api` what it is read as; else it is skipped like an unknown one.
    pub(super) fn belongs(self, api: Api) -> bool {
        use Api::{
            ChatCompletions, Completions, CountTokens, Detokenize, Embeddings, Generate,
            GenerateTokens, Messages, Rerank, Responses, Score, Tokenize,
        };
        match self {
            Self::Messages => {
                matches!(
                    api,
                    ChatCompletions | Messages | CountTokens | Tokenize | Embeddings
                )
            }
            Self::Prompt => matches!(api, Completions | Tokenize),
            Self::Input => matches!(api, Embeddings | Responses),
            Self::Text | Self::InputIds | Self::RequestIds | Self::ReturnLogprob => api == Generate,
            Self::TokenIds => api == GenerateTokens,
            Self::Tokens => api == Detokenize,
            Self::Query | Self::Documents => matches!(api, Rerank | Score),
            Self::Queries | Self::Text1 | Self::Data1 => api == Score,
            Self::Items | Self::Text2 | Self::Data2 => api == Score,
            Self::System => matches!(api, Messages | CountTokens),
            Self::Instructions | Self::MaxOutputTokens => api == Responses,
            Self::SamplingParams => matches!(api, Generate | GenerateTokens),
            Self::EncodingFormat | Self::Dimensions => api == Embeddings,
            Self::TopN => api == Rerank,
            Self::N | Self::BestOf | Self::MaxCompletionTokens => {
                matches!(api, ChatCompletions | Completions)
            }
            Self::MaxTokens => matches!(api, ChatCompletions | Completions | Messages),
            Self::PresencePenalty | Self::FrequencyPenalty => {
                matches!(api, ChatCompletions | Completions | Responses)
            }
            Self::Temperature | Self::TopP => {
                matches!(api, ChatCompletions | Completions | Messages | Responses)
            }
            Self::Tools | Self::StreamOptions => {
                api.generates() || matches!(api, Tokenize | CountTokens)
            }
            Self::Model
            | Self::Stream
            | Self::Priority
            | Self::User
            | Self::PromptCache
            | Self::SessionId
            | Self::CacheSalt => true,
        }
    }

    /// Whether the value is what a model reads, or scores.
    pub(super) fn is_prompt(self) -> bool {
        matches!(
            self,
            Self::Messages
                | Self::Prompt
                | Self::Input
                | Self::Text
                | Self::InputIds
                | Self::TokenIds
                | Self::Tokens
                | Self::Documents
                | Self::Items
                | Self::Text2
                | Self::Data2
        )
    }

    /// Whether the value is what a prompt is compared with.
    pub(super) fn is_query(self) -> bool {
        matches!(
            self,
            Self::Query | Self::Queries | Self::Text1 | Self::Data1
        )
    }

    /// The key that stands for the prompt of `api` when there is none.
    pub(super) fn prompt_of(api: Api) -> Self {
        match api {
            Api::ChatCompletions | Api::Messages | Api::CountTokens => Self::Messages,
            Api::Completions | Api::Tokenize => Self::Prompt,
            Api::Embeddings | Api::Responses => Self::Input,
            Api::Rerank => Self::Documents,
            Api::Score => Self::Text2,
            Api::Detokenize => Self::Tokens,
            Api::Generate => Self::Text,
            Api::GenerateTokens => Self::TokenIds,
        }
    }
}

/// The keys met so far.
#[derive(Debug, Default)]
pub(super) struct Seen(u64);

impl Seen {
    /// Notes a key.
    ///
    /// # Errors
    /// [`RequestError::Duplicate`] if it was met before.
    pub(super) fn note(&mut self, key: Key) -> Result<(), RequestError> {
        let bit = 1u64 << key as u32;
        if self.0 & bit != 0 {
            return Err(RequestError::Duplicate { key: key.name() });
        }
        self.0 |= bit;
        Ok(())
    }
}

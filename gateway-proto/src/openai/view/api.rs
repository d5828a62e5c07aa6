//! The routes whose bodies can be read.

/// Which body a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// `POST /v1/chat/completions`.
    ChatCompletions,
    /// `POST /v1/completions`.
    Completions,
    /// `POST /v1/messages`: Anthropic's.
    Messages,
    /// `POST /v1/messages/count_tokens`.
    CountTokens,
    /// `POST /v1/responses`.
    Responses,
    /// `POST /v1/embeddings`.
    Embeddings,
    /// `POST /v1/rerank`.
    Rerank,
    /// `POST /v1/score`.
    Score,
    /// `POST /tokenize`.
    Tokenize,
    /// `POST /detokenize`.
    Detokenize,
    /// `POST /generate`: SGLang's own.
    Generate,
    /// `POST /inference/v1/generate`: vLLM's tokens in, tokens out.
    GenerateTokens,
}

impl Api {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 12] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Messages,
        Self::CountTokens,
        Self::Responses,
        Self::Embeddings,
        Self::Rerank,
        Self::Score,
        Self::Tokenize,
        Self::Detokenize,
        Self::Generate,
        Self::GenerateTokens,
    ];

    /// The path at engines.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
            Self::Responses => "/v1/responses",
            Self::Embeddings => "/v1/embeddings",
            Self::Rerank => "/v1/rerank",
            Self::Score => "/v1/score",
            Self::Tokenize => "/tokenize",
            Self::Detokenize => "/detokenize",
            Self::Generate => "/generate",
            Self::GenerateTokens => "/inference/v1/generate",
        }
    }

    /// What is posted to `path`; rerank, score, tokenize and detokenize are known with and without `/v1`.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let other = match path {
            "/rerank" => Some(Self::Rerank),
            "/score" => Some(Self::Score),
            "/v1/tokenize" => Some(Self::Tokenize),
            "/v1/detokenize" => Some(Self::Detokenize),
            _ => None,
        };
        other.or_else(|| Self::ALL.into_iter().find(|api| api.path() == path))
    }

    /// A word for labels and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat_completions",
            Self::Completions => "completions",
            Self::Messages => "messages",
            Self::CountTokens => "count_tokens",
            Self::Responses => "responses",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::Score => "score",
            Self::Tokenize => "tokenize",
            Self::Detokenize => "detokenize",
            Self::Generate => "generate",
            Self::GenerateTokens => "generate_tokens",
        }
    }

    /// Whether a body must name a model; engines that serve one model leave it out on the other routes.
    #[must_use]
    pub fn requires_model(self) -> bool {
        matches!(
            self,
            Self::ChatCompletions
                | Self::Completions
                | Self::Messages
                | Self::CountTokens
                | Self::Responses
                | Self::Embeddings
        )
    }

    /// Whether the answer is text or tokens that a model writes.
    #[must_use]
    pub fn generates(self) -> bool {
        matches!(
            self,
            Self::ChatCompletions
                | Self::Completions
                | Self::Messages
                | Self::Responses
                | Self::Generate
                | Self::GenerateTokens
        )
    }
}

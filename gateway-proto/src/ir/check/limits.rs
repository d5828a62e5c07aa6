//! Bounds on requests.

/// The bounds that [`super::check`] holds a request to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tools in one request.
    pub tools: usize,
    /// The name of a tool, in bytes.
    pub tool_name_bytes: usize,
    /// Nesting of arrays and objects in a schema.
    pub schema_depth: usize,
    /// A schema, regular expression or grammar, in bytes.
    pub schema_bytes: usize,
    /// Texts to choose the answer from.
    pub choice_texts: usize,
    /// Answers to one prompt.
    pub n: u32,
    /// Stop texts, and stop tokens.
    pub stops: usize,
    /// One stop text, in bytes.
    pub stop_bytes: usize,
    /// Tokens with a bias.
    pub logit_bias: usize,
    /// Alternatives told for each token.
    pub top_logprobs: u32,
    /// How many token ids the model knows; `None` where that is not known.
    pub vocab: Option<u32>,
}

impl Default for Limits {
    /// What OpenAI allows, or more where engines commonly allow more.
    fn default() -> Self {
        Self {
            tools: 1_024,
            tool_name_bytes: 128,
            schema_depth: 64,
            schema_bytes: 256 << 10,
            choice_texts: 1_024,
            n: 128,
            stops: 64,
            stop_bytes: 1_024,
            logit_bias: 1_024,
            top_logprobs: 20,
            vocab: None,
        }
    }
}

//! Requests.

use super::{Fields, Format, LogprobsAsked, Reasoning, TemplateOptions, ToolChoice};

/// One generation request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// The model asked for.
    pub model: String,
    /// What to continue or answer.
    pub prompt: Prompt,
    /// Tools the model may call.
    pub tools: Vec<Tool>,
    /// Which of them it may or must call.
    pub tool_choice: ToolChoice,
    /// Whether several calls may come at once; yes where not said.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub format: Format,
    /// How much to reason.
    pub reasoning: Reasoning,
    /// How the conversation is rendered.
    pub template: TemplateOptions,
    /// Log probabilities wanted.
    pub logprobs: Option<LogprobsAsked>,
    /// How to sample, and how much.
    pub sampling: Sampling,
    /// Texts that end the answer.
    pub stops: Vec<String>,
    /// Whether the stop text stays in the answer (vLLM, SGLang).
    pub keep_stop: bool,
    /// Give the prompt back before the answer (completions).
    pub echo: bool,
    /// Answer as a stream.
    pub stream: bool,
    /// Close the stream with a usage event.
    pub include_usage: bool,
    /// Further stream options.
    pub stream_options: Fields,
    /// Answer with token ids beside the text (vLLM, SGLang).
    pub return_token_ids: bool,
    /// Prompts with different salts share no cache.
    pub cache_salt: Option<String>,
    /// In the engine's own sense.
    pub priority: Option<i64>,
    /// Everything else.
    pub extra: Fields,
}

impl Request {
    /// About how many bytes of text the prompt has, tools aside: to tell long prompts from short ones.
    #[must_use]
    pub fn prompt_bytes(&self) -> usize {
        match &self.prompt {
            Prompt::Messages(messages) => messages.iter().map(Message::text_bytes).sum(),
            Prompt::Text(text) => text.len(),
            Prompt::Texts(texts) => texts.iter().map(String::len).sum(),
            Prompt::TokenIds(_) | Prompt::TokenIdLists(_) => 0,
        }
    }
}

impl Message {
    fn text_bytes(&self) -> usize {
        match &self.content {
            Some(Content::Text(text)) => text.len(),
            Some(Content::Parts(parts)) => parts.iter().map(Part::text_bytes).sum(),
            None => 0,
        }
    }
}

impl Part {
    fn text_bytes(&self) -> usize {
        match self {
            Self::Text { text, .. } => text.len(),
            Self::Other(_) => 0,
        }
    }
}

/// The input of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Prompt {
    /// A conversation.
    Messages(Vec<Message>),
    /// One text.
    Text(String),
    /// Several texts, each answered on its own.
    Texts(Vec<String>),
    /// One prompt in token ids.
    TokenIds(Vec<u32>),
    /// Several prompts in token ids.
    TokenIdLists(Vec<Vec<u32>>),
}

impl Default for Prompt {
    fn default() -> Self {
        Self::Messages(Vec::new())
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// `system`, `developer`, `user`, `assistant`, `tool`.
    pub role: String,
    /// What was said; an assistant that calls tools may say nothing.
    pub content: Option<Content>,
    /// The assistant's reasoning (`reasoning` or `reasoning_content` on the wire).
    pub reasoning: Option<String>,
    /// The assistant's tool calls.
    pub tool_calls: Vec<ToolCall>,
    /// The call that a tool's message answers.
    pub tool_call_id: Option<String>,
    /// Everything else.
    pub extra: Fields,
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Plain text.
    Text(String),
    /// Parts of several kinds.
    Parts(Vec<Part>),
}

/// One part of a message's content.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// Further members, as `cache_control`.
        extra: Fields,
    },
    /// An image, audio, a file: as it came, `type` included.
    Other(Fields),
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    /// A function.
    Function {
        /// Its name.
        name: String,
        /// The members of `function` but the name: `description`, `parameters` (a JSON schema), `strict`.
        definition: Fields,
        /// The members of the tool but `type` and `function`.
        extra: Fields,
    },
    /// A tool of another type, as it came.
    Other(Fields),
}

/// A call the model made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    /// Names the call in the tool's answer.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments: JSON as the model wrote it, which may be broken.
    pub arguments: String,
    /// Everything else.
    pub extra: Fields,
}

/// How to sample. `None` leaves the choice to the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// The most tokens to generate.
    pub max_tokens: Option<u64>,
    /// The fewest (vLLM, SGLang).
    pub min_tokens: Option<u64>,
    /// How many answers.
    pub n: Option<u32>,
    /// 0 is greedy.
    pub temperature: Option<f64>,
    /// Nucleus sampling.
    pub top_p: Option<f64>,
    /// Only the likeliest so many tokens.
    pub top_k: Option<i64>,
    /// Only tokens of at least this share of the likeliest one's probability.
    pub min_p: Option<f64>,
    /// Above 1 makes repetition less likely.
    pub repetition_penalty: Option<f64>,
    /// Added to the scores of tokens, by id.
    pub logit_bias: Vec<(u32, f64)>,
    /// Tokens that end the answer.
    pub stop_token_ids: Vec<u32>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// The same seed gives the same answer, as far as the engine can.
    pub seed: Option<i64>,
    /// Generate up to `max_tokens` whatever the model says (vLLM, SGLang).
    pub ignore_eos: Option<bool>,
}

//! Requests.

use super::{Fields, Format, LogprobsAsked, Reasoning, TemplateOptions, ToolChoice};

/// The most choices that one answer may have, those of all its prompts together; events of further ones are not kept.
pub const MOST_CHOICES: u32 = 256;

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
    /// About how many bytes the prompt is made from, tools, calls and reasoning included: to tell long prompts from short
    /// ones.
    #[must_use]
    pub fn prompt_bytes(&self) -> usize {
        let ids = |ids: &[u32]| size_of_val(ids);
        let prompt = match &self.prompt {
            Prompt::Messages(messages) => messages.iter().map(Message::bytes).sum(),
            Prompt::Text(text) => text.len(),
            Prompt::Texts(texts) => texts.iter().map(String::len).sum(),
            Prompt::TokenIds(one) => ids(one),
            Prompt::TokenIdLists(lists) => lists.iter().map(|one| ids(one)).sum(),
        };
        let tools: usize = self.tools.iter().map(Tool::bytes).sum();
        prompt + tools + self.template.bytes()
    }
}

impl Request {
    /// The tools that the model is shown: those that it may call, and so none of them where the choice is `none`. A
    /// function that is named alone leaves the others in place, as engines have it, so that prompts keep their prefix.
    pub fn offered_tools(&self) -> impl Iterator<Item = &Tool> {
        let is_offered = |tool: &&Tool| match (&self.tool_choice, tool) {
            (ToolChoice::None, _) => false,
            (ToolChoice::Allowed { names, .. }, Tool::Function { name, .. }) => {
                names.contains(name)
            }
            (ToolChoice::Allowed { .. }, Tool::Other(_)) => false,
            _ => true,
        };
        self.tools.iter().filter(is_offered)
    }
}

impl TemplateOptions {
    fn bytes(&self) -> usize {
        let template = self.template.as_ref().map_or(0, String::len);
        let documents = self.documents.as_ref().map_or(0, |all| all.as_str().len());
        template + documents + bytes_of(&self.kwargs)
    }
}

impl Message {
    fn bytes(&self) -> usize {
        let content = match &self.content {
            Some(Content::Text(text)) => text.len(),
            Some(Content::Parts(parts)) => parts.iter().map(Part::bytes).sum(),
            None => 0,
        };
        let reasoning = self.reasoning.as_ref().map_or(0, String::len);
        let calls: usize = self.tool_calls.iter().map(ToolCall::bytes).sum();
        content + reasoning + calls + bytes_of(&self.extra)
    }
}

impl Part {
    fn bytes(&self) -> usize {
        match self {
            Self::Text { text, extra } => text.len() + bytes_of(extra),
            Self::Other(fields) => bytes_of(fields),
        }
    }
}

impl ToolCall {
    fn bytes(&self) -> usize {
        self.name.len() + self.arguments.len() + bytes_of(&self.extra)
    }
}

impl Tool {
    fn bytes(&self) -> usize {
        match self {
            Self::Function {
                name,
                definition,
                extra,
            } => name.len() + bytes_of(definition) + bytes_of(extra),
            Self::Other(fields) => bytes_of(fields),
        }
    }
}

fn bytes_of(fields: &Fields) -> usize {
    let sizes = fields
        .iter()
        .map(|(name, value)| name.len() + value.get().len());
    sizes.sum()
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

impl Prompt {
    /// How many prompts there are, each with answers of its own.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Messages(_) | Self::Text(_) | Self::TokenIds(_) => 1,
            Self::Texts(texts) => texts.len(),
            Self::TokenIdLists(lists) => lists.len(),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: usize = 1_000;

    fn turn(message: Message) -> Request {
        Request {
            prompt: Prompt::Messages(vec![message]),
            ..Request::default()
        }
    }

    #[test]
    fn whatever_makes_a_prompt_long_counts() {
        let long = || "x".repeat(LONG);
        let fields = || {
            let mut fields = Fields::new();
            fields.put("description", &long()).expect("JSON");
            fields
        };
        let call = ToolCall {
            arguments: long(),
            ..ToolCall::default()
        };
        let tool = Tool::Function {
            name: "f".into(),
            definition: fields(),
            extra: Fields::new(),
        };
        let of_prompt = |prompt| Request {
            prompt,
            ..Request::default()
        };
        let requests = [
            turn(Message {
                content: Some(Content::Text(long())),
                ..Message::default()
            }),
            turn(Message {
                reasoning: Some(long()),
                ..Message::default()
            }),
            turn(Message {
                tool_calls: vec![call],
                ..Message::default()
            }),
            turn(Message {
                content: Some(Content::Parts(vec![Part::Other(fields())])),
                ..Message::default()
            }),
            Request {
                tools: vec![tool],
                ..Request::default()
            },
            of_prompt(Prompt::TokenIds(vec![7; LONG])),
            of_prompt(Prompt::TokenIdLists(vec![vec![7; LONG / 2]; 2])),
            of_prompt(Prompt::Texts(vec!["x".repeat(LONG / 2); 2])),
        ];
        for request in requests {
            assert!(request.prompt_bytes() >= LONG, "{request:?}");
        }
        assert_eq!(Request::default().prompt_bytes(), 0);
    }
}

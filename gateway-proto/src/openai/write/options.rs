//! How a caller wants its answer written.

use crate::ir::{Prompt, Request};

/// What a chat answer calls the model's reasoning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReasoningName {
    /// `reasoning_content`: DeepSeek, SGLang and most client libraries.
    #[default]
    ReasoningContent,
    /// `reasoning`: vLLM and OpenRouter.
    Reasoning,
    /// Both, for clients of either kind. A client that reads both sees the reasoning twice.
    Both,
}

/// How an answer is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyOptions {
    /// Close a stream with a usage chunk.
    pub include_usage: bool,
    /// Tell the usage so far in each chunk (vLLM, SGLang).
    pub continuous_usage: bool,
    /// What reasoning is called (chat).
    pub reasoning: ReasoningName,
    /// The prompts to give back before the answers (completions).
    pub echo: Option<Echo>,
}

impl ReplyOptions {
    /// What `request` asks for. An echo is filled in where the prompt is text; whoever has the text of token ids puts
    /// it there.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let continuous = request.stream_options.raw("continuous_usage_stats");
        Self {
            include_usage: request.include_usage,
            continuous_usage: request.include_usage && continuous == Some("true"),
            reasoning: ReasoningName::default(),
            echo: Echo::of(request),
        }
    }
}

/// Prompts that are given back before their answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// The prompts' texts, in order.
    pub prompts: Vec<String>,
    /// Answers for each prompt; the first prompt's come first.
    pub n: u32,
}

impl Echo {
    fn of(request: &Request) -> Option<Self> {
        if !request.echo {
            return None;
        }
        let prompts = match &request.prompt {
            Prompt::Text(text) => vec![text.clone()],
            Prompt::Texts(texts) => texts.clone(),
            _ => return None,
        };
        let n = request.sampling.n.unwrap_or(1);
        Some(Self { prompts, n })
    }

    /// The prompt of a choice; empty for a choice that no prompt has.
    #[must_use]
    pub fn text(&self, choice: u32) -> &str {
        let prompt = self.prompts.get((choice / self.n.max(1)) as usize);
        prompt.map_or("", String::as_str)
    }
}

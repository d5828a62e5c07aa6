//! How reasoning is told from content.

/// The texts around reasoning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tags {
    pub(super) open: Box<str>,
    pub(super) close: Box<str>,
}

impl Tags {
    /// Tags of these texts; `None` if one is empty or both are the same.
    #[must_use]
    pub fn new(open: &str, close: &str) -> Option<Self> {
        let usable = !open.is_empty() && !close.is_empty() && open != close;
        usable.then(|| Self {
            open: open.into(),
            close: close.into(),
        })
    }

    /// `<think>` and `</think>`: DeepSeek, Qwen, GLM, Kimi, MiniMax and most others.
    #[must_use]
    pub fn think() -> Self {
        Self {
            open: "<think>".into(),
            close: "</think>".into(),
        }
    }

    /// `[THINK]` and `[/THINK]`: Mistral.
    #[must_use]
    pub fn brackets() -> Self {
        Self {
            open: "[THINK]".into(),
            close: "[/THINK]".into(),
        }
    }

    /// `<|channel>thought` and `<channel|>`: Gemma 4.
    #[must_use]
    pub fn channel() -> Self {
        Self {
            open: "<|channel>thought".into(),
            close: "<channel|>".into(),
        }
    }

    /// The text that begins reasoning.
    #[must_use]
    pub fn open(&self) -> &str {
        &self.open
    }

    /// The text that ends reasoning. A caller that ends it for the model (a reasoning budget) continues the prompt with
    /// this text and pushes it into the parser as if the model had written it.
    #[must_use]
    pub fn close(&self) -> &str {
        &self.close
    }
}

/// Whether and how an answer has reasoning between tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ReasoningStyle {
    /// None that could be told from content, or the family's own form (Harmony).
    #[default]
    None,
    /// The model may open it.
    Tagged(Tags),
    /// The prompt ends with the opening tag: the answer begins inside.
    ForcedOpen(Tags),
}

impl ReasoningStyle {
    /// The tags.
    #[must_use]
    pub fn tags(&self) -> Option<&Tags> {
        match self {
            Self::None => None,
            Self::Tagged(tags) | Self::ForcedOpen(tags) => Some(tags),
        }
    }

    /// The style of the answer to this very prompt: forced open where the prompt ends with the opening tag (whitespace
    /// aside), else left to the model. Switches as `enable_thinking` change this from one request to the next.
    #[must_use]
    pub fn after_prompt(&self, prompt: &str) -> Self {
        match self.tags() {
            None => Self::None,
            Some(tags) if prompt.trim_end().ends_with(&*tags.open) => {
                Self::ForcedOpen(tags.clone())
            }
            Some(tags) => Self::Tagged(tags.clone()),
        }
    }

    /// Whether the answer begins inside reasoning.
    #[must_use]
    pub fn starts_in_reasoning(&self) -> bool {
        matches!(self, Self::ForcedOpen(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_decides_whether_reasoning_is_open() {
        let style = ReasoningStyle::ForcedOpen(Tags::think());
        let open = style.after_prompt("<|im_start|>assistant\n<think>\n");
        assert!(open.starts_in_reasoning());
        let closed = style.after_prompt("<|im_start|>assistant\n<think>\n\n</think>\n\n");
        assert_eq!(closed, ReasoningStyle::Tagged(Tags::think()));
        let none = ReasoningStyle::None.after_prompt("<think>");
        assert_eq!(none, ReasoningStyle::None);
    }

    #[test]
    fn tags_differ_and_say_something() {
        assert!(Tags::new("", "</think>").is_none() && Tags::new("|", "|").is_none());
        assert_eq!(Tags::new("<think>", "</think>"), Some(Tags::think()));
    }
}

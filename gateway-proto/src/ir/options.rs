//! What a request asks of its answer beside the prompt: tools, form, reasoning, template.

use super::{Fields, Json};

/// Which tools the model may or must call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// Not said: as [`Self::Auto`] where there are tools.
    #[default]
    Unset,
    /// The model decides.
    Auto,
    /// No calls.
    None,
    /// At least one call.
    Required,
    /// A call of this function.
    Named(String),
    /// Only these functions may be called; at least one must be where `required`.
    Allowed {
        /// Their names.
        names: Vec<String>,
        /// Whether one must be called.
        required: bool,
    },
}

impl ToolChoice {
    /// Whether a call must come.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        matches!(
            self,
            Self::Required | Self::Named(_) | Self::Allowed { required: true, .. }
        )
    }
}

/// The form an answer must have.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Format {
    /// Any text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON of a schema.
    JsonSchema {
        /// What the schema is called.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The schema.
        schema: Json,
        /// Whether the caller wants an answer that breaks it to be reported.
        strict: bool,
    },
    /// Text of a regular expression.
    Regex(String),
    /// Text of a grammar, in the engine's grammar language (EBNF or Lark).
    Grammar(String),
    /// One of these texts.
    Choice(Vec<String>),
    /// An engine's own tag format, passed on as it came.
    StructuralTag(Json),
}

/// How much the model is to reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Whether it is to reason at all; `None` leaves it to the model.
    pub enabled: Option<bool>,
    /// `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, ...: words are handed to the template as they are.
    pub effort: Option<String>,
    /// The most reasoning tokens; the block is closed for the model after them.
    pub budget_tokens: Option<u64>,
}

/// How the chat template is to be rendered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateOptions {
    /// A template for this request alone (vLLM, SGLang); honoured only where the model's configuration allows it.
    pub template: Option<String>,
    /// Further variables, as `enable_thinking`.
    pub kwargs: Fields,
    /// Documents for retrieval templates.
    pub documents: Option<Json>,
    /// Whether the prompt ends with the opening of the assistant's turn; yes where not said.
    pub add_generation_prompt: Option<bool>,
    /// Whether the last message is to be continued instead of answered.
    pub continue_final_message: bool,
}

/// Which log probabilities the caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogprobsAsked {
    /// Alternatives per token, beside the token itself.
    pub top: u32,
}

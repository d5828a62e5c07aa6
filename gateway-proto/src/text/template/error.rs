//! What can be wrong with a template or a conversation.

use minijinja::ErrorKind;

use super::python::Raised;

/// A template that does not compile, or a conversation that it does not render.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The source is no template.
    #[error("the chat template does not compile: {message} (line {line})")]
    Syntax {
        /// From 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The source is longer than [`super::LONGEST_SOURCE`].
    #[error("the chat template has {0} bytes")]
    SourceTooLong(usize),
    /// `tokenizer_config.json` cannot be read.
    #[error("the tokenizer configuration is broken")]
    Config(#[from] serde_json::Error),
    /// The configuration has no template of the name asked for.
    #[error("there is no chat template named `{0}`")]
    NoSuchTemplate(String),
    /// There is no template at all.
    #[error("the model has no chat template")]
    NoTemplate,
    /// The template refused the conversation, in its own words.
    #[error("{0}")]
    Raised(String),
    /// The template failed on the conversation.
    #[error("the chat template failed: {message} (line {line})")]
    Failed {
        /// From 1.
        line: usize,
        /// What went wrong.
        message: String,
    },
    /// The template took more steps than it may.
    #[error("the chat template does not come to an end")]
    Endless,
    /// The prompt is longer than [`super::LONGEST_PROMPT`].
    #[error("the rendered prompt is too long")]
    TooLong,
    /// JSON within the request is nested deeper than templates may see, or broken.
    #[error("`{0}` is nested too deeply")]
    TooDeep(&'static str),
    /// `documents` is no list of objects.
    #[error("`documents` must be a list of objects")]
    Documents,
    /// The request has a prompt that needs no template.
    #[error("only a conversation can be rendered")]
    NoConversation,
    /// The final message cannot be continued.
    #[error("the final message cannot be continued: {0}")]
    Continue(&'static str),
}

impl TemplateError {
    pub(super) fn of_source(error: &minijinja::Error) -> Self {
        Self::Syntax {
            line: error.line().unwrap_or(0),
            message: message(error),
        }
    }

    pub(super) fn of_render(error: &minijinja::Error) -> Self {
        if error.kind() == ErrorKind::OutOfFuel {
            return Self::Endless;
        }
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            if let Some(Raised(text)) = cause.downcast_ref() {
                return Self::Raised(text.clone());
            }
            source = cause.source();
        }
        Self::Failed {
            line: error.line().unwrap_or(0),
            message: message(error),
        }
    }
}

fn message(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

//! Templates, compiled once.

use std::sync::Arc;

use super::engine::Engine;
use super::facts::{self, TemplateFacts};
use super::resume;
use super::{LONGEST_SOURCE, LocalTime, SpecialTokens, TemplateError, context};
use crate::ir::Request;

/// A chat template: a conversation in, the prompt's text out. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Template(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: String,
    engine: Engine,
    tokens: SpecialTokens,
    facts: TemplateFacts,
}

impl Template {
    /// Compiles a template and tries it on small conversations to learn its [`facts`](Self::facts); a few milliseconds.
    ///
    /// # Errors
    /// [`TemplateError::Syntax`] and [`TemplateError::SourceTooLong`].
    pub fn compile(source: &str, tokens: SpecialTokens) -> Result<Self, TemplateError> {
        if source.len() > LONGEST_SOURCE {
            return Err(TemplateError::SourceTooLong(source.len()));
        }
        let mut engine = Engine::compile(source)?;
        let facts = facts::learn(&engine, source, &tokens)?;
        engine.admit();
        Ok(Self(Arc::new(Inner {
            source: source.to_owned(),
            engine,
            tokens,
            facts,
        })))
    }

    /// The prompt for a conversation.
    ///
    /// Contents, missing contents and the arguments of tool calls are first brought into the form that the template
    /// understands. `now` is what `strftime_now` prints.
    ///
    /// # Errors
    /// [`TemplateError::Raised`] in the template's own words where it refuses the conversation, and the variants from
    /// there on.
    pub fn render(&self, request: &Request, now: LocalTime) -> Result<String, TemplateError> {
        let Inner {
            source,
            engine,
            tokens,
            facts,
        } = &*self.0;
        if !request.template.continue_final_message {
            let messages = context::messages(request, &facts.shape, None)?;
            return engine.render(context::variables(request, messages, tokens, now)?);
        }
        let text = resume::final_text(request, source)?;
        let messages = context::messages(request, &facts.shape, Some(resume::MARK))?;
        let prompt = engine.render(context::variables(request, messages, tokens, now)?)?;
        resume::cut(prompt, text)
    }

    /// What was learnt of the template.
    #[must_use]
    pub fn facts(&self) -> &TemplateFacts {
        &self.0.facts
    }

    /// The source as it was given.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The special tokens it was compiled with.
    #[must_use]
    pub fn tokens(&self) -> &SpecialTokens {
        &self.0.tokens
    }
}

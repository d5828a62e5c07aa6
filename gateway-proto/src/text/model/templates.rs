//! The templates of a model: one, or one more for requests with tools.

use super::{ModelError, ModelFiles};
use crate::text::template::{SpecialTokens, Template, TemplateError, TemplateSource};

/// Compiled templates.
#[derive(Debug)]
pub(super) struct Templates {
    usual: Template,
    with_tools: Option<Template>,
}

impl Templates {
    /// Of a model's files; `None` where they hold no template.
    pub(super) fn of(files: &ModelFiles) -> Result<Option<Self>, ModelError> {
        let config = files.tokenizer_config.as_deref();
        let source = match TemplateSource::from_files(files.chat_template.as_deref(), config) {
            Err(TemplateError::NoTemplate) => return Ok(None),
            source => source?,
        };
        let tokens = match config {
            Some(config) => SpecialTokens::from_config(config)?,
            None => SpecialTokens::default(),
        };
        let usual = source.for_tools(false)?;
        let with_tools = Some(source.for_tools(true)?).filter(|other| *other != usual);
        let compile = |source| Template::compile(source, tokens.clone());
        Ok(Some(Self {
            usual: compile(usual)?,
            with_tools: with_tools.map(compile).transpose()?,
        }))
    }

    pub(super) fn for_tools(&self, has_tools: bool) -> &Template {
        let with_tools = self.with_tools.as_ref().filter(|_| has_tools);
        with_tools.unwrap_or(&self.usual)
    }
}

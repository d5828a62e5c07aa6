//! Holding an answer to the schema that its caller was promised.

use std::fmt;
use std::sync::Arc;

use super::PrepareError;
use super::schema::{self, Compiled};
use crate::ir::{Format, Request, Tool};

/// What an answer must be like, where its caller asked for strictness.
#[derive(Clone, Default)]
pub struct StrictFormat {
    content: Option<Arc<Compiled>>,
    /// By the function's name.
    calls: Vec<(String, Arc<Compiled>)>,
}

impl StrictFormat {
    /// Of a request. Schemas of earlier requests are not compiled again.
    ///
    /// # Errors
    /// Where a schema is none, refers to other documents, or could cost far more work than its length.
    pub fn of(request: &Request) -> Result<Self, PrepareError> {
        let content = match &request.format {
            Format::JsonSchema {
                schema,
                strict: true,
                ..
            } => Some(compiled(schema.as_str(), "response_format")?),
            _ => None,
        };
        let mut calls = Vec::new();
        for tool in &request.tools {
            if let Some((name, parameters)) = strict_parameters(tool) {
                calls.push((name.to_owned(), compiled(parameters, name)?));
            }
        }
        Ok(Self { content, calls })
    }

    /// Whether there is anything to hold an answer to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content.is_none() && self.calls.is_empty()
    }

    /// What is wrong with an answer's text. Takes time in proportion to its length.
    #[must_use]
    pub fn check_content(&self, text: &str) -> Option<String> {
        self.content.as_ref()?.violation(text, "the answer")
    }

    /// What is wrong with a call's arguments. Takes time in proportion to their length.
    #[must_use]
    pub fn check_call(&self, name: &str, arguments: &str) -> Option<String> {
        let (_, compiled) = self.calls.iter().find(|(known, _)| known == name)?;
        compiled.violation(arguments, &format!("the arguments of '{name}'"))
    }
}

impl fmt::Debug for StrictFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StrictFormat")
            .field("content", &self.content.is_some())
            .field("calls", &self.calls.len())
            .finish()
    }
}

/// The name and the parameters' schema of a tool that is `strict` and has one.
fn strict_parameters(tool: &Tool) -> Option<(&str, &str)> {
    let Tool::Function {
        name, definition, ..
    } = tool
    else {
        return None;
    };
    let is_strict = definition.raw("strict") == Some("true");
    let parameters = definition.raw("parameters").filter(|raw| *raw != "null");
    Some((name, parameters.filter(|_| is_strict)?))
}

fn compiled(schema: &str, of: &str) -> Result<Arc<Compiled>, PrepareError> {
    schema::compiled(schema).map_err(|error| PrepareError::Schema(format!("{of}: {error}")))
}

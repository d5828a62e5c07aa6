//! Holding an answer to the schema that its caller was promised.

use std::fmt;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::Value;

use super::PrepareError;
use crate::ir::{Format, Request, Tool};

/// The most violations that are told.
const MOST_VIOLATIONS: usize = 3;

/// What an answer must be like, where its caller asked for strictness.
#[derive(Clone, Default)]
pub struct StrictFormat {
    content: Option<Arc<Validator>>,
    /// By the function's name.
    calls: Vec<(String, Arc<Validator>)>,
}

impl StrictFormat {
    /// Of a request.
    ///
    /// # Errors
    /// Where a schema is none.
    pub fn of(request: &Request) -> Result<Self, PrepareError> {
        let content = match &request.format {
            Format::JsonSchema {
                schema,
                strict: true,
                ..
            } => Some(validator(&schema.to_value(), "response_format")?),
            _ => None,
        };
        let mut calls = Vec::new();
        for tool in &request.tools {
            if let Some(schema) = strict_parameters(tool)
                && let Tool::Function { name, .. } = tool
            {
                calls.push((name.clone(), validator(&schema, name)?));
            }
        }
        Ok(Self { content, calls })
    }

    /// Whether there is anything to hold an answer to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content.is_none() && self.calls.is_empty()
    }

    /// What is wrong with an answer's text.
    #[must_use]
    pub fn check_content(&self, text: &str) -> Option<String> {
        violations(self.content.as_ref()?, text, "the answer")
    }

    /// What is wrong with a call's arguments.
    #[must_use]
    pub fn check_call(&self, name: &str, arguments: &str) -> Option<String> {
        let (_, validator) = self.calls.iter().find(|(known, _)| known == name)?;
        violations(validator, arguments, &format!("the arguments of '{name}'"))
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

/// The schema of a tool's parameters, where it is `strict`.
fn strict_parameters(tool: &Tool) -> Option<Value> {
    let Tool::Function { definition, .. } = tool else {
        return None;
    };
    if definition.raw("strict") != Some("true") {
        return None;
    }
    serde_json::from_str(definition.raw("parameters")?).ok()
}

fn validator(schema: &Value, of: &str) -> Result<Arc<Validator>, PrepareError> {
    jsonschema::validator_for(schema)
        .map(Arc::new)
        .map_err(|error| PrepareError::Schema(format!("{of}: {error}")))
}

fn violations(validator: &Validator, text: &str, of: &str) -> Option<String> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return Some(format!("{of} is no JSON: {error}")),
    };
    let told: Vec<String> = validator
        .iter_errors(&value)
        .take(MOST_VIOLATIONS)
        .map(|error| format!("{} at '{}'", error.masked(), error.instance_path()))
        .collect();
    (!told.is_empty()).then(|| format!("{of} breaks its schema: {}", told.join("; ")))
}

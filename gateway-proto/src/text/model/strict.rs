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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::openai::chat;

    fn strict(parameters: &str) -> Result<StrictFormat, PrepareError> {
        let body = format!(
            r#"{{"model":"m","messages":[],"tools":[{{"type":"function",
            "function":{{"name":"f","strict":true,"parameters":{parameters}}}}}]}}"#
        );
        StrictFormat::of(&chat::decode_request(body.as_bytes()).expect("a good body"))
    }

    #[test]
    fn a_strict_tool_is_held_to_its_parameters() {
        let strict = strict(r#"{"type":"object","required":["x"]}"#).expect("a good schema");
        assert_eq!(strict.check_call("f", r#"{"x":1}"#), None);
        assert_eq!(strict.check_call("g", "{}"), None);
        let told = strict.check_call("f", "{}").expect("nothing of it");
        assert!(told.contains("the arguments of 'f'"), "{told}");
    }

    #[test]
    fn a_schema_that_cannot_be_held_to_is_refused_and_not_passed_over() {
        let deep = r#"{"items":"#.repeat(200) + "{}" + &"}".repeat(200);
        for parameters in [&*deep, r#"{"type":7}"#, r##"{"$ref":"#"}"##] {
            let error = strict(parameters).expect_err("no good schema").to_api();
            assert_eq!(error.code.as_deref(), Some("invalid_schema"));
            assert!(error.message.contains("f: "), "{}", error.message);
        }
        assert!(strict("null").expect("nothing to hold to").is_empty());
    }

    #[test]
    fn an_answer_is_held_to_a_strict_form_only() {
        let of = |strict: bool| {
            let schema = json!({"name": "s", "strict": strict, "schema": {"type": "integer"}});
            let body: Value = json!({"model": "m", "messages": [],
                "response_format": {"type": "json_schema", "json_schema": schema}});
            let request = chat::decode_request(body.to_string().as_bytes());
            StrictFormat::of(&request.expect("a good body")).expect("a good schema")
        };
        assert!(of(true).check_content("\"x\"").is_some());
        assert!(of(false).is_empty());
    }
}

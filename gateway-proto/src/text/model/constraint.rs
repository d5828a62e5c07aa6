//! What the engine is to hold the answer to.

use serde_json::{Map, Value, json};

use super::PrepareError;
use crate::ir::{Format, Json, Request, Tool, ToolChoice};

/// A form that the engine enforces token by token, once reasoning is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// The form.
    pub format: Format,
    /// Whether the answer is then a list of tool calls, as [`calls_schema`] has them, and no text.
    pub is_calls: bool,
}

impl Constraint {
    /// The constraint of a request, if it has any.
    ///
    /// # Errors
    /// Where the caller asks for tools and for another form at once.
    pub(super) fn of(request: &Request) -> Result<Option<Self>, PrepareError> {
        let format = (request.format != Format::Text).then(|| Self {
            format: request.format.clone(),
            is_calls: false,
        });
        let Some(schema) = calls_schema(request)? else {
            return Ok(format);
        };
        if format.is_some() {
            return Err(PrepareError::Conflict(
                "An answer cannot be a forced tool call and of another form at once. Leave out 'tool_choice' or \
                 'response_format'.",
            ));
        }
        Ok(Some(Self {
            format: Format::JsonSchema {
                name: None,
                description: None,
                schema: Json::of(&schema).expect("a JSON value serialises"),
                strict: true,
            },
            is_calls: true,
        }))
    }
}

/// Where a call is forced, the schema of `[{"name": ..., "parameters": {...}}, ...]` with the tools that may be called.
fn calls_schema(request: &Request) -> Result<Option<Value>, PrepareError> {
    let may_be_called = |name: &str| match &request.tool_choice {
        ToolChoice::Required => true,
        ToolChoice::Named(wanted) => wanted == name,
        ToolChoice::Allowed {
            names,
            required: true,
        } => names.iter().any(|known| known == name),
        _ => false,
    };
    let mut definitions = Map::new();
    let mut calls = Vec::new();
    for tool in &request.tools {
        let Tool::Function {
            name, definition, ..
        } = tool
        else {
            continue;
        };
        if may_be_called(name) {
            let parameters = definition.raw("parameters");
            calls.push(call_schema(name, parameters, &mut definitions)?);
        }
    }
    if calls.is_empty() {
        return Ok(None);
    }
    let mut schema = json!({"type": "array", "minItems": 1, "items": {"anyOf": calls}});
    let is_single = matches!(request.tool_choice, ToolChoice::Named(_));
    if is_single || request.parallel_tool_calls == Some(false) {
        schema["maxItems"] = json!(1);
    }
    if !definitions.is_empty() {
        schema["$defs"] = Value::Object(definitions);
    }
    Ok(Some(schema))
}

/// The schema of one call. Definitions that its parameters refer to move up, as references are resolved from the top.
fn call_schema(
    name: &str,
    parameters: Option<&str>,
    definitions: &mut Map<String, Value>,
) -> Result<Value, PrepareError> {
    let parameters = parameters.unwrap_or("{\"type\":\"object\"}");
    let mut parameters: Value = serde_json::from_str(parameters)
        .map_err(|error| PrepareError::Schema(format!("parameters of tool '{name}': {error}")))?;
    if parameters.is_null() {
        parameters = json!({"type": "object"});
    }
    let own = parameters
        .as_object_mut()
        .and_then(|object| object.remove("$defs"));
    if let Some(Value::Object(own)) = own {
        for (key, value) in own {
            if definitions.get(&key).is_some_and(|other| *other != value) {
                let message = format!("two tools define '$defs/{key}' differently");
                return Err(PrepareError::Schema(message));
            }
            definitions.insert(key, value);
        }
    }
    Ok(json!({
        "type": "object",
        "properties": {"name": {"type": "string", "enum": [name]}, "parameters": parameters},
        "required": ["name", "parameters"],
        "additionalProperties": false,
    }))
}

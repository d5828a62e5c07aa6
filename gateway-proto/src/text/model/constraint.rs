//! What the engine is to hold the answer to.

use std::convert::Infallible;

use serde_json::{Map, Value, json};

use super::PrepareError;
use super::schema::{REFERENCE, visit};
use crate::ir::{Format, Json, Request, Tool, ToolChoice};

/// A form that the engine enforces token by token, once reasoning is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// The form.
    pub format: Format,
    /// Whether the answer is then a list of tool calls, `[{"name": .., "parameters": {..}}, ..]`, and no text.
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

    /// Whether a call may come in its place.
    pub(super) fn leaves_calls(&self) -> bool {
        !self.is_calls && leaves_calls(&self.format)
    }
}

/// Whether answers of this form may be calls instead: JSON as agents ask for, which want it of their last answer. The
/// engines' own forms are of every answer.
pub(super) fn leaves_calls(format: &Format) -> bool {
    matches!(format, Format::JsonObject | Format::JsonSchema { .. })
}

/// Whether calls may come, and need not.
pub(super) fn may_call(request: &Request) -> bool {
    let is_function = |tool: &Tool| matches!(tool, Tool::Function { .. });
    !request.tool_choice.is_forced() && request.offered_tools().any(is_function)
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

/// The schema of one call.
///
/// References are resolved from the top of the whole. So parameters with references move to `$defs`, under a name of
/// their own, and their references with them.
fn call_schema(
    name: &str,
    parameters: Option<&str>,
    definitions: &mut Map<String, Value>,
) -> Result<Value, PrepareError> {
    let refused = |error| PrepareError::Schema(format!("parameters of tool '{name}': {error}"));
    let parameters = parameters.unwrap_or("null");
    let mut parameters: Value = serde_json::from_str(parameters).map_err(refused)?;
    if parameters.is_null() {
        parameters = json!({"type": "object"});
    }
    let place = format!("parameters{}", definitions.len());
    if rebase(&mut parameters, &place) {
        let reference = json!({REFERENCE: format!("#/$defs/{place}")});
        definitions.insert(place, std::mem::replace(&mut parameters, reference));
    }
    Ok(json!({
        "type": "object",
        "properties": {"name": {"type": "string", "enum": [name]}, "parameters": parameters},
        "required": ["name", "parameters"],
        "additionalProperties": false,
    }))
}

/// Lets the references within a schema start at its new place, which is one of `$defs`; gives whether there are any.
fn rebase(schema: &mut Value, place: &str) -> bool {
    let mut has_references = false;
    let Ok(()) = visit::<Infallible>(schema, &mut |part| {
        if let Some(Value::String(to)) = part.get_mut(REFERENCE)
            && let Some(path) = to.strip_prefix('#')
            && (path.is_empty() || path.starts_with('/'))
        {
            *to = format!("#/$defs/{place}{path}");
            has_references = true;
        }
        Ok(())
    });
    if let Some(schema) = schema.as_object_mut().filter(|_| has_references) {
        // With an identity of its own, its references would start at itself again.
        schema.shift_remove("$id");
    }
    has_references
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::chat;

    /// The schema of calls to tools with these parameters, one of which must be called.
    fn forced(parameters: &[Value]) -> Value {
        let tool = |(at, parameters): (usize, &Value)| {
            let name = format!("f{at}");
            json!({"type": "function", "function": {"name": name, "parameters": parameters}})
        };
        let tools: Vec<Value> = parameters.iter().enumerate().map(tool).collect();
        let body = json!({"model": "m", "messages": [], "tools": tools, "tool_choice": "required"});
        let request = chat::decode_request(body.to_string().as_bytes()).expect("a good body");
        let schema = calls_schema(&request).expect("good schemas");
        schema.expect("a call is forced")
    }

    #[test]
    fn references_of_every_form_reach_their_own_tool() {
        let list = json!({"type": "object", "properties": {"next": {"$ref": "#"}, "value": {"type": "string"},
            "same": {"$ref": "#/properties/value"}}, "additionalProperties": false});
        let item = |kind: &str| {
            json!({"$id": "https://example.com/s", "definitions": {"Item": {"type": kind}},
                "properties": {"item": {"$ref": "#/definitions/Item"}}})
        };
        let schema = forced(&[
            list,
            item("string"),
            item("integer"),
            json!({"type": "object"}),
        ]);
        let validator = jsonschema::validator_for(&schema).expect("every reference has a target");
        let is_taken = |name: &str, parameters: Value| {
            validator.is_valid(&json!([{"name": name, "parameters": parameters}]))
        };
        assert!(is_taken("f0", json!({"next": {"next": {"same": "x"}}})));
        assert!(!is_taken("f0", json!({"next": {"next": {"same": 1}}})));
        assert!(!is_taken("f0", json!({"next": {"other": 1}})));
        assert!(is_taken("f1", json!({"item": "x"})) && !is_taken("f1", json!({"item": 1})));
        assert!(is_taken("f2", json!({"item": 1})) && !is_taken("f2", json!({"item": "x"})));
        assert!(is_taken("f3", json!({})));
    }

    #[test]
    fn data_that_looks_like_a_reference_stays() {
        let constant = json!({"const": {"$ref": "#/data"}});
        let named = json!({"properties": {"$ref": {"type": "string"}, "c": constant}});
        let schema = forced(std::slice::from_ref(&named));
        let parameters = &schema["items"]["anyOf"][0]["properties"]["parameters"];
        assert_eq!(*parameters, named);
    }
}

//! Tools, and which of them may be called.

use crate::anthropic::read::{Node, Object};
use crate::dialect::DialectError;
use crate::ir::{Fields, Request, Tool, ToolChoice};
use crate::openai::JsonKind;

/// Reads `tools`.
pub(super) fn tools(object: &mut Object<'_, '_>) -> Result<Vec<Tool>, DialectError> {
    let Some(list) = object.take("tools") else {
        return Ok(Vec::new());
    };
    let mut tools = Vec::new();
    for node in list.elements()? {
        tools.extend(tool(&node)?);
    }
    Ok(tools)
}

/// Reads one tool; `None` for one that searches among the others, which are all shown.
fn tool(node: &Node<'_, '_>) -> Result<Option<Tool>, DialectError> {
    let mut tool = node.object()?;
    if let Some(tag) = tool.take("type") {
        let kind = tag.string()?;
        if kind.starts_with("tool_search_tool") {
            return Ok(None);
        }
        if kind != "custom" {
            let problem = format!("tools of type '{kind}' cannot be run here; only 'custom' can");
            return Err(tag.fault(problem).with_code("unsupported_value"));
        }
    }
    tool.take("cache_control");
    let name = tool.require("name")?.filled()?;
    let mut definition = Fields::new();
    if let Some(description) = tool.take("description") {
        description.string()?;
        definition.push_raw("description".to_owned(), description.to_raw());
    }
    let schema = tool.require("input_schema")?;
    if schema.kind() != JsonKind::Object {
        return Err(schema.expected("a JSON schema, which is an object"));
    }
    definition.push_raw("parameters".to_owned(), schema.to_raw());
    if let Some(strict) = tool.take("strict") {
        strict.boolean()?;
        definition.push_raw("strict".to_owned(), strict.to_raw());
    }
    Ok(Some(Tool::Function {
        name,
        definition,
        extra: tool.rest(),
    }))
}

/// Reads `tool_choice`.
pub(super) fn take_choice(
    object: &mut Object<'_, '_>,
    request: &mut Request,
) -> Result<(), DialectError> {
    let Some(node) = object.take("tool_choice") else {
        return Ok(());
    };
    let mut choice = node.object()?;
    request.tool_choice = match &*choice.tag()? {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.require("name")?.filled()?),
        other => {
            let problem = format!("'{other}' is not one of 'auto', 'any', 'tool' and 'none'");
            return Err(node.fault(problem).with_code("invalid_value"));
        }
    };
    if let Some(single) = choice.take("disable_parallel_tool_use") {
        request.parallel_tool_calls = Some(!single.boolean()?);
    }
    Ok(())
}

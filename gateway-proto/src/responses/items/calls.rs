//! Calls of tools, and what came out of them.

use serde_json::value::RawValue;

use super::ItemBody;
use super::content::content;
use crate::dialect::DialectError;
use crate::elements::each;
use crate::ir::{Content, Fields, ToolCall};
use crate::responses::node::{Node, missing};

/// Calls of tools that a client runs and this service never offers. In a history from elsewhere they are told to the
/// model as calls of functions named so.
const CLIENT_CALLS: [&str; 4] = [
    "local_shell_call",
    "shell_call",
    "apply_patch_call",
    "tool_search_call",
];

/// True for a call that a client ran and that is told as a function's.
pub(super) fn is_client_call(kind: &str) -> bool {
    CLIENT_CALLS.contains(&kind)
}

/// True for what came out of any call that is told to the model.
pub(super) fn is_output(kind: &str) -> bool {
    match kind.strip_suffix("_output") {
        Some("function_call" | "custom_tool_call") => true,
        Some("tool_search") => true,
        Some(call) => CLIENT_CALLS.contains(&call),
        None => false,
    }
}

pub(super) fn function_call(node: &mut Node) -> Result<ItemBody, DialectError> {
    let call = ToolCall {
        id: node.require_name("call_id")?,
        name: node.require_name("name")?,
        arguments: node.require("arguments")?,
        extra: Fields::new(),
    };
    Ok(ItemBody::Call {
        call,
        namespace: node.take("namespace")?,
    })
}

pub(super) fn custom_call(node: &mut Node) -> Result<ItemBody, DialectError> {
    let call_id = node.require_name("call_id")?;
    let name = node.require_name("name")?;
    let input: String = node.require("input")?;
    let mut arguments = Fields::new();
    arguments.put("input", &input).expect("a string serialises");
    let call = ToolCall {
        id: call_id,
        name,
        arguments: text_of(&arguments),
        extra: Fields::new(),
    };
    Ok(ItemBody::Call {
        call,
        namespace: node.take("namespace")?,
    })
}

pub(super) fn client_call(kind: &str, node: &mut Node) -> Result<ItemBody, DialectError> {
    let id = node.require_name("call_id")?;
    let asked = ["action", "operation", "arguments"];
    let asked = asked.iter().find_map(|key| node.take_raw(key));
    let arguments = asked.map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned());
    let call = ToolCall {
        id,
        name: kind.trim_end_matches("_call").to_owned(),
        arguments,
        extra: Fields::new(),
    };
    Ok(ItemBody::Call {
        call,
        namespace: None,
    })
}

/// Outputs of functions are texts or parts; those of other tools, and lists of no parts, are told as their JSON.
pub(super) fn output(node: &mut Node) -> Result<ItemBody, DialectError> {
    let call_id = node.require_name("call_id")?;
    let path = node.path("output");
    let raw = ["output", "tools"]
        .iter()
        .find_map(|key| node.take_raw(key))
        .ok_or_else(|| missing(path.clone()))?;
    let content = match raw.get().as_bytes().first() {
        Some(b'"') => content(&raw, &path)?,
        Some(b'[') if is_parts(&raw) => content(&raw, &path)?,
        _ => Content::Text(raw.get().to_owned()),
    };
    Ok(ItemBody::Output { call_id, content })
}

/// True for a list whose elements say what part they are.
fn is_parts(raw: &RawValue) -> bool {
    let named = |_, part: Fields| {
        let kind = part.raw("type").unwrap_or_default();
        let is_part =
            kind.starts_with("\"input_") || matches!(kind, "\"output_text\"" | "\"text\"");
        if is_part { Ok(()) } else { Err(()) }
    };
    each(raw, named).is_ok()
}

fn text_of(fields: &Fields) -> String {
    serde_json::to_string(fields).expect("raw JSON serialises")
}

//! The `tool_choice` member.

use serde_json::value::RawValue;

use super::Tools;
use crate::dialect::DialectError;
use crate::ir::ToolChoice;
use crate::responses::node::{Node, elements, invalid, shown, string};

const PATH: &str = "tool_choice";

/// Reads `tool_choice` and holds it against the tools. Names come out as the model knows them.
pub(in crate::responses) fn decode_choice(
    raw: Option<&RawValue>,
    tools: &Tools,
) -> Result<ToolChoice, DialectError> {
    let Some(raw) = raw else {
        return Ok(ToolChoice::Unset);
    };
    if !raw.get().starts_with('{') {
        return word(&string(raw, PATH)?, tools);
    }
    let mut node = Node::read(raw, PATH.to_owned())?;
    let kind: String = node.require("type")?;
    match kind.as_str() {
        "allowed_tools" => allowed(&mut node, tools),
        "function" | "custom" => Ok(ToolChoice::Named(named(&mut node, tools)?)),
        kind => Err(cannot_run(&node, kind)),
    }
}

fn word(word: &str, tools: &Tools) -> Result<ToolChoice, DialectError> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" if tools.offered.is_empty() => {
            let why = "'required' needs a tool that the model can be offered, a function or custom tool, in 'tools'";
            Err(invalid(PATH.to_owned(), why))
        }
        "required" => Ok(ToolChoice::Required),
        word => {
            let why = format!(
                "'{}' is none of 'auto', 'none', 'required' and no object",
                shown(word)
            );
            Err(invalid(PATH.to_owned(), why))
        }
    }
}

/// The allowed tools that can be called; those that nobody runs here cannot be chosen anyway.
fn allowed(node: &mut Node, tools: &Tools) -> Result<ToolChoice, DialectError> {
    let mode: String = node.take("mode")?.unwrap_or_else(|| "auto".to_owned());
    let required = match mode.as_str() {
        "auto" => false,
        "required" => true,
        "none" => return Ok(ToolChoice::None),
        mode => {
            let why = format!("'{}' is none of 'auto', 'none', 'required'", shown(mode));
            return Err(invalid(node.path("mode"), why));
        }
    };
    let path = node.path("tools");
    let list: Box<RawValue> = node.require("tools")?;
    let mut names = Vec::new();
    elements(&list, &path, |path, raw| {
        let mut entry = Node::read(raw, path)?;
        let kind: String = entry.require("type")?;
        if matches!(kind.as_str(), "function" | "custom") {
            names.push(named(&mut entry, tools)?);
        } else if !tools.hosted.contains(&kind) {
            return Err(cannot_run(&entry, &kind));
        }
        Ok(())
    })?;
    if names.is_empty() {
        let why = "it names no tool that the model can call; the gateway runs no hosted tools";
        return Err(invalid(path, why));
    }
    Ok(ToolChoice::Allowed { names, required })
}

fn named(node: &mut Node, tools: &Tools) -> Result<String, DialectError> {
    let name = node.require_name("name")?;
    let namespace: Option<String> = node.take("namespace")?;
    let flat = tools.names.flat(namespace.as_deref(), &name);
    if tools.offers(&flat) {
        return Ok(flat);
    }
    let why = format!("there is no tool named '{}' in 'tools'", shown(&name));
    Err(invalid(node.path("name"), why))
}

fn cannot_run(node: &Node, kind: &str) -> DialectError {
    let why = format!(
        "tools of type '{}' are not run by this service; name a function or custom tool",
        shown(kind)
    );
    invalid(node.path("type"), why).with_code("unsupported_tool")
}

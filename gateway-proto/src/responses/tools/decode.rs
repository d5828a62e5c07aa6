//! The `tools` array.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::{ToolName, ToolNames};
use crate::dialect::DialectError;
use crate::ir::{Fields, Tool};
use crate::responses::node::{Node, elements, invalid, shown};

/// Tools that OpenAI's service or its clients run. The gateway runs none of them: they are told back to the caller as
/// they came and not to the model, which therefore never calls them.
const HOSTED: [&str; 17] = [
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "file_search",
    "code_interpreter",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
    "apply_patch",
    "computer",
    "computer_use",
    "computer_use_preview",
    "tool_search",
    "programmatic_tool_calling",
    "x_search",
];

/// The one argument of a custom tool.
const CUSTOM_PARAMETERS: &str = r#"{"type":"object","properties":{"input":{"type":"string","description":"The whole input of the tool, as plain text."}},"required":["input"],"additionalProperties":false}"#;

/// What a request says of tools.
#[derive(Default)]
pub(in crate::responses) struct Tools {
    /// What the model is offered.
    pub(in crate::responses) offered: Vec<Tool>,
    /// Their names here, where those differ.
    pub(in crate::responses) names: ToolNames,
    /// Names and types of what the model is not offered.
    pub(in crate::responses) hosted: HashSet<String>,
    /// What is told back, one JSON object for each.
    pub(in crate::responses) echo: Vec<Fields>,
    taken: HashSet<String>,
}

/// Reads the array `raw` at `tools`.
pub(in crate::responses) fn decode_tools(raw: Option<&RawValue>) -> Result<Tools, DialectError> {
    let mut tools = Tools::default();
    let mut nested = Vec::new();
    let Some(raw) = raw else {
        return Ok(tools);
    };
    elements(raw, "tools", |path, raw| {
        let mut node = Node::read(raw, path)?;
        let kind: String = node.require("type")?;
        match kind.as_str() {
            "function" => tools.function(node)?,
            "custom" => tools.custom(node)?,
            // Flat names give way to plain ones, so all plain ones are taken in before.
            "namespace" => nested.push((node, raw)),
            kind if HOSTED.contains(&kind) || kind.contains(':') => {
                tools.hosted(kind, &mut node)?;
                tools.echo.push(whole_fields(raw));
            }
            kind => return Err(unknown_kind(&node, kind)),
        }
        Ok(())
    })?;
    for (node, raw) in nested {
        tools.namespace(node, raw)?;
    }
    Ok(tools)
}

impl Tools {
    fn function(&mut self, mut node: Node) -> Result<(), DialectError> {
        let name = node.require_name("name")?;
        let definition = definition(&mut node)?;
        self.take_name(&node, &name)?;
        self.echo.push(echo_function(&name, &definition, &node));
        self.offered.push(Tool::Function {
            name,
            definition,
            extra: Fields::new(),
        });
        Ok(())
    }

    fn custom(&mut self, mut node: Node) -> Result<(), DialectError> {
        let name = node.require_name("name")?;
        self.take_name(&node, &name)?;
        let description: Option<String> = node.take("description")?;
        let format = node.take_node("format")?;
        let mut definition = Fields::new();
        put(
            &mut definition,
            "description",
            &custom_description(description.as_deref(), format.as_ref()),
        );
        put(&mut definition, "parameters", &raw(CUSTOM_PARAMETERS));
        self.names.add_custom(&name);
        let mut echo = Fields::new();
        put(&mut echo, "type", "custom");
        put(&mut echo, "name", &name);
        put(&mut echo, "description", &description);
        if let Some(format) = &format {
            put(&mut echo, "format", &format.fields);
        }
        echo.append(&node.fields);
        self.echo.push(echo);
        self.offered.push(Tool::Function {
            name,
            definition,
            extra: Fields::new(),
        });
        Ok(())
    }

    fn namespace(&mut self, mut node: Node, whole: &RawValue) -> Result<(), DialectError> {
        let namespace = node.require_name("name")?;
        let path = node.path("tools");
        let members: Box<RawValue> = node.require("tools")?;
        elements(&members, &path, |path, raw| {
            self.member(&namespace, Node::read(raw, path)?)
        })?;
        self.echo.push(whole_fields(whole));
        Ok(())
    }

    /// Takes in a tool of a namespace.
    fn member(&mut self, namespace: &str, mut node: Node) -> Result<(), DialectError> {
        let kind: String = node.require("type")?;
        if kind != "function" {
            return self.hosted(&kind, &mut node);
        }
        let tool = ToolName {
            namespace: Some(namespace.to_owned()),
            name: node.require_name("name")?,
            custom: false,
        };
        if self.names.has(namespace, &tool.name) {
            return Err(taken_twice(&node, &tool.name));
        }
        let definition = definition(&mut node)?;
        let taken = |flat: &str| self.taken.contains(flat);
        let flat = self.names.add_nested(tool, namespace, taken);
        self.offered.push(Tool::Function {
            name: flat,
            definition,
            extra: Fields::new(),
        });
        Ok(())
    }

    fn hosted(&mut self, kind: &str, node: &mut Node) -> Result<(), DialectError> {
        self.hosted.insert(kind.to_owned());
        if let Some(label) = node.take::<String>("server_label")? {
            self.hosted.insert(label);
        }
        Ok(())
    }

    fn take_name(&mut self, node: &Node, name: &str) -> Result<(), DialectError> {
        if self.taken.insert(name.to_owned()) {
            return Ok(());
        }
        Err(taken_twice(node, name))
    }

    /// True where the model is offered a tool of this name.
    pub(super) fn offers(&self, flat: &str) -> bool {
        self.taken.contains(flat) || self.names.of(flat).is_some()
    }
}

fn taken_twice(node: &Node, name: &str) -> DialectError {
    let why = format!("there is another tool named '{}'", shown(name));
    invalid(node.path("name"), why)
}

/// What a function's definition may say; the dialect has it flat, the neutral form beside the name.
fn definition(node: &mut Node) -> Result<Fields, DialectError> {
    let mut definition = Fields::new();
    if let Some(description) = node.take::<String>("description")? {
        put(&mut definition, "description", &description);
    }
    if let Some(parameters) = node.take_node("parameters")? {
        put(&mut definition, "parameters", &parameters.fields);
    }
    if let Some(strict) = node.take::<bool>("strict")? {
        put(&mut definition, "strict", &strict);
    }
    Ok(definition)
}

/// The function as it is told back: all three members of the definition are there, if only as `null`.
fn echo_function(name: &str, definition: &Fields, rest: &Node) -> Fields {
    let mut echo = Fields::new();
    put(&mut echo, "type", "function");
    put(&mut echo, "name", name);
    for key in ["description", "parameters", "strict"] {
        put(&mut echo, key, &raw(definition.raw(key).unwrap_or("null")));
    }
    echo.append(&rest.fields);
    echo
}

/// A model that knows functions alone is told of the grammar in words; nobody enforces it.
fn custom_description(description: Option<&str>, format: Option<&Node>) -> String {
    let mut told = description.unwrap_or_default().to_owned();
    let text = |key: &str| {
        let raw = format?.fields.raw(key)?;
        serde_json::from_str::<String>(raw).ok()
    };
    if let Some(grammar) = text("definition") {
        let syntax = text("syntax").unwrap_or_else(|| "given".to_owned());
        told.push_str("\n\nThe input must follow this grammar (");
        told.push_str(&syntax);
        told.push_str("):\n");
        told.push_str(&grammar);
    }
    told
}

fn unknown_kind(node: &Node, kind: &str) -> DialectError {
    let known = HOSTED.join("', '");
    let why = format!(
        "'{}' is none of 'function', 'custom', 'namespace', '{known}'",
        shown(kind)
    );
    invalid(node.path("type"), why)
}

fn whole_fields(whole: &RawValue) -> Fields {
    serde_json::from_str(whole.get()).expect("it was read as an object before")
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON taken from JSON")
}

fn put<T: serde::Serialize + ?Sized>(fields: &mut Fields, key: &str, value: &T) {
    fields.put(key, value).expect("plain data serialises");
}

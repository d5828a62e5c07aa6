//! The `text` and `reasoning` members.

use serde_json::value::RawValue;

use crate::dialect::DialectError;
use crate::ir::{Format, Json, Reasoning};
use crate::responses::node::{Node, invalid, missing, shown};

/// What a request says of its text.
#[derive(Default)]
pub(super) struct Text {
    pub(super) format: Format,
    /// The format as it came, for telling it back.
    pub(super) told: Option<Box<RawValue>>,
    pub(super) verbosity: Option<String>,
}

/// What a request says of reasoning.
#[derive(Default)]
pub(super) struct Reasons {
    pub(super) reasoning: Reasoning,
    pub(super) summary: Option<String>,
}

pub(super) fn take_text(node: &mut Node) -> Result<Text, DialectError> {
    let Some(mut text) = node.take_node("text")? else {
        return Ok(Text::default());
    };
    let path = text.path("format");
    let verbosity = text.take("verbosity")?;
    let told = text.take_raw("format");
    let format = match &told {
        Some(raw) => format(Node::read(raw, path)?)?,
        None => Format::Text,
    };
    Ok(Text {
        format,
        told,
        verbosity,
    })
}

fn format(mut node: Node) -> Result<Format, DialectError> {
    let kind: String = node.require("type")?;
    match kind.as_str() {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::JsonObject),
        "json_schema" => Ok(Format::JsonSchema {
            name: Some(node.require_name("name")?),
            description: node.take("description")?,
            strict: node.take("strict")?.unwrap_or(false),
            schema: schema(&mut node)?,
        }),
        kind => {
            let why = format!(
                "'{}' is none of 'text', 'json_object', 'json_schema'",
                shown(kind)
            );
            Err(invalid(node.path("type"), why))
        }
    }
}

fn schema(node: &mut Node) -> Result<Json, DialectError> {
    let path = node.path("schema");
    match node.take_raw("schema") {
        Some(raw) if raw.get().starts_with('{') => Ok(Json::from(raw)),
        Some(_) => Err(invalid(path, "it must be an object")),
        None => Err(missing(path)),
    }
}

pub(super) fn take_reasoning(node: &mut Node) -> Result<Reasons, DialectError> {
    let Some(mut object) = node.take_node("reasoning")? else {
        return Ok(Reasons::default());
    };
    let effort: Option<String> = object.take("effort")?;
    let summary: Option<String> = object.take("summary")?;
    let older: Option<String> = object.take("generate_summary")?;
    Ok(Reasons {
        reasoning: Reasoning {
            enabled: (effort.as_deref() == Some("none")).then_some(false),
            effort,
            budget_tokens: object.take("max_tokens")?,
        },
        summary: summary.or(older),
    })
}

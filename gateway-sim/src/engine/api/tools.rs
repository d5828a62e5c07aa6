//! Tool calls with made-up arguments.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use crate::engine::error::ApiError;
use crate::text::{Turn, Voice, Writer, decode};

/// How deep schemas are followed.
const MOST_DEPTH: u32 = 6;

/// The call an answer will be.
#[derive(Clone, Debug)]
pub(super) struct ToolCall {
    pub(super) name: String,
    parameters: Value,
}

impl ToolCall {
    /// Arguments that fit the schema and follow from the prompt, as tokens.
    pub(super) fn tokens(&self, voice: &Voice, prompt: &[u32]) -> Vec<u32> {
        let mut writer = Writer::new(0);
        writer.read(prompt);
        voice.encode(&invent(&self.parameters, &mut writer, 0).to_string())
    }

    /// The call's id, which follows from the reply's.
    pub(super) fn id(&self, reply_id: &str) -> String {
        call_id(reply_id)
    }
}

/// The id of a reply's call, which follows from the reply's own.
pub(super) fn call_id(reply_id: &str) -> String {
    let name = reply_id.strip_prefix("chatcmpl-").unwrap_or(reply_id);
    format!("chatcmpl-tool-{name}")
}

/// The call that the request forces or asks for.
pub(super) fn chosen(fields: Fields<'_>, turns: &[Turn]) -> Result<Option<ToolCall>, ApiError> {
    let tools = fields.list("tools")?.unwrap_or_default();
    let choice = fields.get("tool_choice");
    let named = choice
        .and_then(|choice| choice.pointer("/function/name"))
        .and_then(Value::as_str);
    let mode = choice.and_then(Value::as_str);
    if tools.is_empty() {
        return match named.or(mode.filter(|mode| *mode == "required")) {
            None => Ok(None),
            Some(_) => Err(ApiError::bad_request(
                "tool_choice",
                "When using `tool_choice`, `tools` must be set.",
            )),
        };
    }
    let wanted = match (named, mode) {
        (Some(name), _) => Some(name.to_owned()),
        (None, Some("required")) => Some(String::new()),
        (None, Some("none")) => None,
        _ => asked(turns),
    };
    wanted.map(|name| find(tools, &name)).transpose()
}

/// The tools as a turn before all others, as chat templates announce them.
pub(super) fn announcement(fields: Fields<'_>) -> Result<Option<Turn>, ApiError> {
    let tools = fields.list("tools")?.filter(|tools| !tools.is_empty());
    Ok(tools.map(|tools| Turn {
        role: "tools".to_owned(),
        content: json!(tools).to_string(),
    }))
}

/// The tool that the last user turn asks for with `/tool NAME`; empty for the first.
fn asked(turns: &[Turn]) -> Option<String> {
    let last = turns.iter().rfind(|turn| turn.role == "user")?;
    let (_, rest) = last.content.split_once("/tool")?;
    Some(
        rest.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
    )
}

/// The tool of that name; where there is no name, the first.
fn find(tools: &[Value], name: &str) -> Result<ToolCall, ApiError> {
    let name_of = |tool: &Value| {
        tool.pointer("/function/name")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let tool = tools
        .iter()
        .find(|tool| name.is_empty() || name_of(tool).as_deref() == Some(name));
    match tool.and_then(|tool| Some((tool, name_of(tool)?))) {
        Some((tool, name)) => {
            let parameters = tool
                .pointer("/function/parameters")
                .cloned()
                .unwrap_or(Value::Null);
            Ok(ToolCall { name, parameters })
        }
        None => Err(ApiError::bad_request(
            "tool_choice",
            "The tool specified in `tool_choice` does not match any of the specified `tools`",
        )),
    }
}

/// A value that fits a JSON schema, for the schemas tools use.
fn invent(schema: &Value, writer: &mut Writer, depth: u32) -> Value {
    if let Some(options) = schema
        .get("enum")
        .and_then(Value::as_array)
        .filter(|options| !options.is_empty())
    {
        return options[pick(writer, options.len())].clone();
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => word(writer),
        Some("integer") => json!(pick(writer, 100)),
        #[expect(clippy::cast_precision_loss, reason = "a number below 1,000")]
        Some("number") => json!(pick(writer, 1_000) as f64 / 10.0),
        Some("boolean") => json!(pick(writer, 2) == 1),
        Some("null") => Value::Null,
        Some("array") if depth < MOST_DEPTH => {
            let item = schema
                .get("items")
                .map(|items| invent(items, writer, depth + 1));
            Value::Array(item.into_iter().collect())
        }
        Some("array") => json!([]),
        _ if depth < MOST_DEPTH => object(schema, writer, depth),
        _ => json!({}),
    }
}

/// An object with all properties that its schema requires, or with all where it names none as required.
fn object(schema: &Value, writer: &mut Writer, depth: u32) -> Value {
    let empty = Map::new();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let required = schema.get("required").and_then(Value::as_array);
    let is_wanted =
        |name: &String| required.is_none_or(|names| names.iter().any(|other| other == name));
    let wanted = properties.iter().filter(|(name, _)| is_wanted(name));
    Value::Object(
        wanted
            .map(|(name, schema)| (name.clone(), invent(schema, writer, depth + 1)))
            .collect(),
    )
}

fn word(writer: &mut Writer) -> Value {
    decode(&[writer.write(false)]).trim().into()
}

fn pick(writer: &mut Writer, count: usize) -> usize {
    let draw = writer.draw(count as u64);
    writer.write(false);
    usize::try_from(draw % count as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_fit_their_schema_and_repeat() {
        let parameters = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["c", "f"]},
                "days": {"type": "array", "items": {"type": "integer"}},
                "note": {"type": "string"},
            },
            "required": ["city", "unit", "days"],
        });
        let call = ToolCall {
            name: "get_weather".to_owned(),
            parameters,
        };
        let text = decode(&call.tokens(&Voice::Plain, &[1, 2, 3]));
        let arguments: Value = serde_json::from_str(&text).expect("well-formed");
        assert!(
            arguments["city"]
                .as_str()
                .is_some_and(|city| !city.is_empty())
        );
        assert!(arguments["unit"] == "c" || arguments["unit"] == "f");
        assert!(arguments["days"][0].is_u64());
        assert_eq!(arguments.get("note"), None);
        assert_eq!(text, decode(&call.tokens(&Voice::Plain, &[1, 2, 3])));
    }

    #[test]
    fn a_schema_without_end_is_followed_only_so_deep() {
        let mut schema = json!({"type": "string"});
        for _ in 0..50 {
            schema = json!({"type": "array", "items": schema});
        }
        let value = invent(&schema, &mut Writer::new(0), 0);
        assert!(value.to_string().len() < 40);
    }
}

//! Tool calls with made-up arguments.

use serde_json::{Value, json};

use super::fields::Fields;
use super::invent::invent;
use crate::engine::error::ApiError;
use crate::text::{Turn, Voice, Writer};

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
        voice.encode(&invent(&self.parameters, &mut writer).to_string())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::decode;

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
}

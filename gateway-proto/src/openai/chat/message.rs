//! Messages, in requests and replies.

use serde::de::Error as _;
use serde_json::value::RawValue;

use crate::ir::{Content, Fields, Message, Part, ToolCall};
use crate::openai::CodecError;
use crate::openai::codec::object::{Builder, Object};

pub(super) fn decode(mut object: Object) -> Result<Message, CodecError> {
    Ok(Message {
        role: object.require("role")?,
        content: content(&mut object)?,
        reasoning: take_reasoning(&mut object)?,
        tool_calls: object.take_objects("tool_calls", tool_call)?,
        tool_call_id: object.take("tool_call_id")?,
        extra: object.fields,
    })
}

/// Engines disagree on the name: `reasoning` (vLLM) or `reasoning_content` (SGLang, DeepSeek).
pub(super) fn take_reasoning(object: &mut Object) -> Result<Option<String>, CodecError> {
    let older: Option<String> = object.take("reasoning_content")?;
    let newer: Option<String> = object.take("reasoning")?;
    Ok(newer.or(older))
}

fn content(object: &mut Object) -> Result<Option<Content>, CodecError> {
    let Some(raw) = object.fields.raw("content") else {
        return Ok(None);
    };
    if !raw.starts_with('[') {
        return Ok(object.take("content")?.map(Content::Text));
    }
    let parts: Vec<Box<RawValue>> = object.take_or_default("content")?;
    let parts: serde_json::Result<Vec<Part>> = parts.iter().map(|raw| part(raw)).collect();
    match parts {
        Ok(parts) => Ok(Some(Content::Parts(parts))),
        Err(source) => Err(CodecError::Field {
            path: object.path("content"),
            source,
        }),
    }
}

/// A part is an object; some engines take plain strings as text.
fn part(raw: &RawValue) -> serde_json::Result<Part> {
    if raw.get().starts_with('"') {
        return Ok(Part::Text {
            text: serde_json::from_str(raw.get())?,
            extra: Fields::new(),
        });
    }
    let mut fields: Fields = serde_json::from_str(raw.get())?;
    if fields.raw("type") != Some("\"text\"") {
        return Ok(Part::Other(fields));
    }
    fields.take_raw("type");
    let text = fields
        .take("text")?
        .ok_or_else(|| serde_json::Error::custom("a text part without text"))?;
    Ok(Part::Text {
        text,
        extra: fields,
    })
}

fn tool_call(mut object: Object) -> Result<ToolCall, CodecError> {
    object.fields.take_raw("type");
    let id = object.take_or_default("id")?;
    let mut function = object.require_object("function")?;
    let (name, arguments) = (
        function.require("name")?,
        function.take_or_default("arguments")?,
    );
    Ok(ToolCall {
        id,
        name,
        arguments,
        extra: object.fields,
    })
}

/// Writes a message; a message that says nothing has `content: null`, which clients expect to be there.
pub(super) fn encode(message: &Message) -> Fields {
    let builder = Builder::default().put("role", &message.role);
    let builder = match &message.content {
        Some(Content::Text(text)) => builder.put("content", text),
        Some(Content::Parts(parts)) => builder.put(
            "content",
            &parts.iter().map(encode_part).collect::<Vec<_>>(),
        ),
        None => builder.put("content", &()),
    };
    let calls: Vec<Fields> = message.tool_calls.iter().map(encode_tool_call).collect();
    builder
        .put_some("reasoning", message.reasoning.as_ref())
        .put_list("tool_calls", &calls)
        .put_some("tool_call_id", message.tool_call_id.as_ref())
        .extra(&message.extra)
}

fn encode_part(part: &Part) -> Fields {
    match part {
        Part::Text { text, extra } => Builder::default()
            .put("type", "text")
            .put("text", text)
            .extra(extra),
        Part::Other(fields) => fields.clone(),
    }
}

fn encode_tool_call(call: &ToolCall) -> Fields {
    let function = Builder::default()
        .put("name", &call.name)
        .put("arguments", &call.arguments);
    Builder::default()
        .put("id", &call.id)
        .put("type", "function")
        .put("function", &function.extra(&Fields::new()))
        .extra(&call.extra)
}

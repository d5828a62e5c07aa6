//! Messages, in requests and replies.

use serde::de::Error as _;
use serde_json::value::RawValue;

use crate::elements::{Stopped, each};
use crate::ir::{Content, Fields, Message, Part, ToolCall};
use crate::openai::CodecError;
use crate::openai::codec::object::{Builder, Object};

/// The most content parts in all messages of a body. Three bytes can be a part, which takes many times that once read.
const MOST_PARTS: usize = 65_536;

/// How many more content parts a body may have.
pub(super) struct PartRoom(usize);

impl Default for PartRoom {
    fn default() -> Self {
        Self(MOST_PARTS)
    }
}

impl PartRoom {
    fn take(&mut self, path: &str) -> Result<(), CodecError> {
        let left = self.0.checked_sub(1);
        self.0 = left.ok_or_else(|| {
            CodecError::invalid(
                path.to_owned(),
                format!("at most {MOST_PARTS} content parts in all messages"),
            )
        })?;
        Ok(())
    }
}

pub(super) fn decode(mut object: Object, room: &mut PartRoom) -> Result<Message, CodecError> {
    Ok(Message {
        role: object.require("role")?,
        content: content(&mut object, room)?,
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

fn content(object: &mut Object, room: &mut PartRoom) -> Result<Option<Content>, CodecError> {
    let is_list = |raw: &str| raw.starts_with('[');
    if !object.fields.raw("content").is_some_and(is_list) {
        return Ok(object.take("content")?.map(Content::Text));
    }
    let raw = object.fields.take_raw("content").expect("it was there");
    let path = object.path("content");
    let mut parts = Vec::new();
    let end = each(&raw, |at, raw: &RawValue| {
        room.take(&path)?;
        let read = part(raw).map_err(|source| CodecError::Field {
            path: format!("{path}[{at}]"),
            source,
        });
        parts.push(read?);
        Ok(())
    });
    match end {
        Ok(()) => Ok(Some(Content::Parts(parts))),
        Err(Stopped::Refused(refused)) => Err(refused),
        Err(Stopped::Json(source)) => Err(CodecError::Field { path, source }),
    }
}

/// A part is an object; some engines take plain strings as text. What an assistant said in refusing is text as well.
fn part(raw: &RawValue) -> serde_json::Result<Part> {
    if raw.get().starts_with('"') {
        return Ok(Part::Text {
            text: serde_json::from_str(raw.get())?,
            extra: Fields::new(),
        });
    }
    let mut fields: Fields = serde_json::from_str(raw.get())?;
    let member = match fields.raw("type") {
        Some("\"text\"") => "text",
        Some("\"refusal\"") => "refusal",
        _ => return Ok(Part::Other(fields)),
    };
    fields.take_raw("type");
    let text = fields
        .take(member)?
        .ok_or_else(|| serde_json::Error::custom(format!("a {member} part without {member}")))?;
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

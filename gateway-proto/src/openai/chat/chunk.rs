//! Chat stream events: the data of one server-sent event at a time.

use crate::ir::{ChunkChoice, Delta, Fields, StreamEvent, ToolCallDelta};
use crate::openai::CodecError;
use crate::openai::codec::common;
use crate::openai::codec::object::{Builder, Object};

use super::message;

/// Reads the data of one stream event.
///
/// # Errors
/// [`CodecError`] with the path of the member that is of the wrong type.
pub fn decode_chunk(data: &str) -> Result<StreamEvent, CodecError> {
    common::decode_event(data, choice)
}

/// Writes the data of one stream event.
#[must_use]
pub fn encode_chunk(event: &StreamEvent) -> String {
    common::encode_event(event, "chat.completion.chunk", encode_choice)
}

fn choice(mut object: Object) -> Result<ChunkChoice, CodecError> {
    Ok(ChunkChoice {
        index: object.take_or_default("index")?,
        delta: object
            .take_object("delta")?
            .map(delta)
            .transpose()?
            .unwrap_or_default(),
        finish: common::take_finish(&mut object)?,
        token_ids: object.take("token_ids")?,
        prompt_token_ids: object.take("prompt_token_ids")?,
        extra: object.fields,
    })
}

fn delta(mut object: Object) -> Result<Delta, CodecError> {
    Ok(Delta {
        role: object.take("role")?,
        text: object.take("content")?,
        reasoning: message::take_reasoning(&mut object)?,
        tool_calls: object.take_objects("tool_calls", tool_call)?,
        extra: object.fields,
    })
}

fn tool_call(mut object: Object) -> Result<ToolCallDelta, CodecError> {
    object.fields.take_raw("type");
    let mut call = ToolCallDelta {
        index: object.take_or_default("index")?,
        id: object.take("id")?,
        ..ToolCallDelta::default()
    };
    if let Some(mut function) = object.take_object("function")? {
        call.name = function.take("name")?;
        call.arguments = function.take("arguments")?;
    }
    call.extra = object.fields;
    Ok(call)
}

fn encode_choice(choice: &ChunkChoice) -> Fields {
    Builder::default()
        .put("index", &choice.index)
        .put("delta", &encode_delta(&choice.delta))
        .put(
            "finish_reason",
            &common::finish_word(choice.finish.as_ref()),
        )
        .put_some("token_ids", choice.token_ids.as_ref())
        .put_some("prompt_token_ids", choice.prompt_token_ids.as_ref())
        .extra(&choice.extra)
}

fn encode_delta(delta: &Delta) -> Fields {
    let calls: Vec<Fields> = delta.tool_calls.iter().map(encode_tool_call).collect();
    Builder::default()
        .put_some("role", delta.role.as_ref())
        .put_some("content", delta.text.as_ref())
        .put_some("reasoning", delta.reasoning.as_ref())
        .put_list("tool_calls", &calls)
        .extra(&delta.extra)
}

/// Clients tell calls apart by `index`; `type` comes with the id, in the first piece.
fn encode_tool_call(call: &ToolCallDelta) -> Fields {
    let function = Builder::default()
        .put_some("name", call.name.as_ref())
        .put_some("arguments", call.arguments.as_ref())
        .extra(&Fields::new());
    Builder::default()
        .put("index", &call.index)
        .put_some("id", call.id.as_ref())
        .put_some("type", call.id.is_some().then_some(&"function"))
        .put_some("function", (!function.is_empty()).then_some(&function))
        .extra(&call.extra)
}

//! Completion stream events: the data of one server-sent event at a time.

use crate::ir::{ChunkChoice, Delta, Fields, StreamEvent};
use crate::openai::CodecError;
use crate::openai::codec::common;
use crate::openai::codec::object::{Builder, Object};

/// Reads the data of one stream event.
///
/// # Errors
/// [`CodecError`] with the path of the member that is of the wrong type.
pub fn decode_chunk(data: &str) -> Result<StreamEvent, CodecError> {
    common::decode_event(data, choice)
}

/// Writes the data of one stream event. Roles, reasoning and tool calls have no place in this dialect.
#[must_use]
pub fn encode_chunk(event: &StreamEvent) -> String {
    common::encode_event(event, "text_completion", encode_choice)
}

fn choice(mut object: Object) -> Result<ChunkChoice, CodecError> {
    Ok(ChunkChoice {
        index: object.take_or_default("index")?,
        delta: Delta {
            text: Some(object.take_or_default("text")?),
            ..Delta::default()
        },
        finish: common::take_finish(&mut object)?,
        token_ids: object.take("token_ids")?,
        prompt_token_ids: object.take("prompt_token_ids")?,
        extra: object.fields,
    })
}

fn encode_choice(choice: &ChunkChoice) -> Fields {
    Builder::default()
        .put("index", &choice.index)
        .put("text", choice.delta.text.as_deref().unwrap_or_default())
        .put(
            "finish_reason",
            &common::finish_word(choice.finish.as_ref()),
        )
        .put_some("token_ids", choice.token_ids.as_ref())
        .put_some("prompt_token_ids", choice.prompt_token_ids.as_ref())
        .extra(&choice.extra)
}

//! Whole chat replies.

use crate::ir::{Choice, Fields, Reply};
use crate::openai::CodecError;
use crate::openai::codec::common;
use crate::openai::codec::object::{Builder, Object, to_vec};

use super::message;

/// Reads a chat reply.
///
/// # Errors
/// [`CodecError`] with the path of the member that is missing or of the wrong type.
pub fn decode_reply(body: &[u8]) -> Result<Reply, CodecError> {
    common::decode_reply(body, choice)
}

/// Writes a chat reply.
#[must_use]
pub fn encode_reply(reply: &Reply) -> Vec<u8> {
    let choices: Vec<Fields> = reply.choices.iter().map(encode_choice).collect();
    to_vec(&common::encode_reply(reply, "chat.completion", &choices))
}

fn choice(mut object: Object) -> Result<Choice, CodecError> {
    Ok(Choice {
        index: object.take_or_default("index")?,
        message: message::decode(object.require_object("message")?)?,
        finish: common::take_finish(&mut object)?,
        token_ids: object.take("token_ids")?,
        prompt_token_ids: object.take("prompt_token_ids")?,
        extra: object.fields,
    })
}

fn encode_choice(choice: &Choice) -> Fields {
    Builder::default()
        .put("index", &choice.index)
        .put("message", &message::encode(&choice.message))
        .put(
            "finish_reason",
            &common::finish_word(choice.finish.as_ref()),
        )
        .put_some("token_ids", choice.token_ids.as_ref())
        .put_some("prompt_token_ids", choice.prompt_token_ids.as_ref())
        .extra(&choice.extra)
}

//! Whole completion replies.

use crate::ir::{Choice, Content, Fields, Message, Reply};
use crate::openai::CodecError;
use crate::openai::codec::common;
use crate::openai::codec::object::{Builder, Object, to_vec};

/// Reads a completion reply; each text becomes an assistant's message.
///
/// # Errors
/// [`CodecError`] with the path of the member that is missing or of the wrong type.
pub fn decode_reply(body: &[u8]) -> Result<Reply, CodecError> {
    common::decode_reply(body, choice)
}

/// Writes a completion reply.
#[must_use]
pub fn encode_reply(reply: &Reply) -> Vec<u8> {
    let choices: Vec<Fields> = reply.choices.iter().map(encode_choice).collect();
    to_vec(&common::encode_reply(reply, "text_completion", &choices))
}

fn choice(mut object: Object) -> Result<Choice, CodecError> {
    let text: String = object.take_or_default("text")?;
    let message = Message {
        role: "assistant".to_owned(),
        content: Some(Content::Text(text)),
        ..Message::default()
    };
    Ok(Choice {
        index: object.take_or_default("index")?,
        message,
        finish: common::take_finish(&mut object)?,
        token_ids: object.take("token_ids")?,
        prompt_token_ids: object.take("prompt_token_ids")?,
        extra: object.fields,
    })
}

fn encode_choice(choice: &Choice) -> Fields {
    let text = match &choice.message.content {
        Some(Content::Text(text)) => text.as_str(),
        _ => "",
    };
    Builder::default()
        .put("index", &choice.index)
        .put("text", text)
        .put(
            "finish_reason",
            &common::finish_word(choice.finish.as_ref()),
        )
        .put_some("token_ids", choice.token_ids.as_ref())
        .put_some("prompt_token_ids", choice.prompt_token_ids.as_ref())
        .extra(&choice.extra)
}

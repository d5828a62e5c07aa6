//! Whole chat replies of engines.

use crate::ir::{Fields, Finish, Message, Usage};
use crate::openai::CodecError;
use crate::openai::codec::object::Object;
use crate::openai::codec::{common, usage};

use super::message::{self, PartRoom};

/// A whole reply as an engine writes it.
pub(super) struct Reply {
    pub(super) id: String,
    /// Unix seconds.
    pub(super) created: u64,
    pub(super) model: String,
    pub(super) choices: Vec<Choice>,
    pub(super) usage: Option<Usage>,
    /// Everything else.
    pub(super) extra: Fields,
}

/// One answer of several.
pub(super) struct Choice {
    pub(super) index: u32,
    pub(super) message: Message,
    pub(super) finish: Option<Finish>,
    pub(super) token_ids: Option<Vec<u32>>,
    /// Everything else, `logprobs` and `stop_reason` among it.
    pub(super) extra: Fields,
}

/// Reads a chat reply.
///
/// # Errors
/// [`CodecError`] with the path of the member that is missing or of the wrong type.
pub(super) fn decode(body: &[u8]) -> Result<Reply, CodecError> {
    let mut object = Object::from_body(body)?;
    let mut room = PartRoom::default();
    Ok(Reply {
        id: object.take_or_default("id")?,
        created: object.take_or_default("created")?,
        model: object.take_or_default("model")?,
        choices: object.take_objects("choices", |object| choice(object, &mut room))?,
        usage: usage::take(&mut object)?,
        extra: object.fields,
    })
}

fn choice(mut object: Object, room: &mut PartRoom) -> Result<Choice, CodecError> {
    object.fields.take_raw("prompt_token_ids");
    Ok(Choice {
        index: object.take_or_default("index")?,
        message: message::decode(object.require_object("message")?, room)?,
        finish: common::take_finish(&mut object)?,
        token_ids: object.take("token_ids")?,
        extra: object.fields,
    })
}

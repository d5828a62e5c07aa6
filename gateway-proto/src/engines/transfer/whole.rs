//! A whole answer as the stream that the caller asked for.

use bytes::Bytes;
use serde_json::value::{RawValue, to_raw_value};

use crate::ir::Fields;

/// The events of a stream that says what `answer`, a whole reply of OpenAI's chat or completions route, says: one chunk
/// and the end. `None` where it is no such reply.
#[must_use]
pub fn as_stream(answer: &[u8]) -> Option<Bytes> {
    let mut fields: Fields = serde_json::from_slice(answer).ok()?;
    let choices: Vec<Fields> = fields.take("choices").ok()??;
    let is_chat = choices.iter().any(|choice| choice.raw("message").is_some());
    let choices: Vec<Fields> = choices.into_iter().map(as_delta).collect();
    fields.put_raw("choices".to_owned(), to_raw_value(&choices).ok()?);
    if is_chat {
        fields.put("object", "chat.completion.chunk").ok()?;
    }
    let chunk = serde_json::to_string(&fields).ok()?;
    Some(Bytes::from(format!("data: {chunk}\n\ndata: [DONE]\n\n")))
}

/// A choice of a whole chat reply has a message where a chunk has a delta.
fn as_delta(mut choice: Fields) -> Fields {
    choice.take_raw("disaggregated_params");
    let message: Option<Box<RawValue>> = choice.take_raw("message");
    if let Some(message) = message {
        choice.put_raw("delta".to_owned(), message);
    }
    choice
}

//! Completion requests.

use serde::Deserialize;

use crate::ir::{Content, LogprobsAsked, Message, Part, Prompt, Request};
use crate::openai::CodecError;
use crate::openai::codec::common;
use crate::openai::codec::object::{Builder, Object, to_vec};

/// The forms of `prompt`; an empty array is read as no text at all.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Text(String),
    Texts(Vec<String>),
    TokenIds(Vec<u32>),
    TokenIdLists(Vec<Vec<u32>>),
}

/// Reads a completion request.
///
/// # Errors
/// [`CodecError`] with the path of the member that is missing or of the wrong type.
pub fn decode_request(body: &[u8]) -> Result<Request, CodecError> {
    let mut object = Object::from_body(body)?;
    let mut request = common::take_request(&mut object)?;
    request.prompt = match object.require("prompt")? {
        Wire::Text(text) => Prompt::Text(text),
        Wire::Texts(texts) => Prompt::Texts(texts),
        Wire::TokenIds(ids) => Prompt::TokenIds(ids),
        Wire::TokenIdLists(lists) => Prompt::TokenIdLists(lists),
    };
    let top: Option<u32> = object.take("logprobs")?;
    request.logprobs = top.map(|top| LogprobsAsked { top });
    request.echo = object.take_or_default("echo")?;
    request.extra = object.fields;
    Ok(request)
}

/// Writes a completion request.
///
/// A conversation is written as the plain texts of its messages, one after the other on lines of their own: this route
/// knows no turns. Tools are left out for the same reason.
#[must_use]
pub fn encode_request(request: &Request) -> Vec<u8> {
    let builder = Builder::default().put("model", &request.model);
    let builder = match &request.prompt {
        Prompt::Messages(messages) => builder.put(
            "prompt",
            &messages
                .iter()
                .map(plain_text)
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        Prompt::Text(text) => builder.put("prompt", text),
        Prompt::Texts(texts) => builder.put("prompt", texts),
        Prompt::TokenIds(ids) => builder.put("prompt", ids),
        Prompt::TokenIdLists(lists) => builder.put("prompt", lists),
    };
    let top = request.logprobs.map(|asked| asked.top);
    let builder = builder
        .put_some("logprobs", top.as_ref())
        .put_flag("echo", request.echo);
    to_vec(&common::put_request(builder, request))
}

fn plain_text(message: &Message) -> String {
    match &message.content {
        Some(Content::Text(text)) => text.clone(),
        Some(Content::Parts(parts)) => parts.iter().filter_map(part_text).collect(),
        None => String::new(),
    }
}

fn part_text(part: &Part) -> Option<&str> {
    match part {
        Part::Text { text, .. } => Some(text),
        Part::Other(_) => None,
    }
}

//! Completion requests.

use serde_json::value::RawValue;

use crate::ir::{Content, LogprobsAsked, Message, Part, Prompt, Request};
use crate::openai::CodecError;
use crate::openai::codec::common;
use crate::openai::codec::object::{Builder, Object, to_vec};

/// Reads a completion request.
///
/// # Errors
/// [`CodecError`] with the path of the member that is missing or of the wrong type.
pub fn decode_request(body: &[u8]) -> Result<Request, CodecError> {
    let mut object = Object::from_body(body)?;
    let mut request = common::take_request(&mut object)?;
    request.prompt = take_prompt(&mut object)?;
    let top: Option<u32> = object.take("logprobs")?;
    request.logprobs = top.map(|top| LogprobsAsked { top });
    request.echo = object.take_or_default("echo")?;
    request.extra = object.fields;
    Ok(request)
}

/// Takes `prompt`. Its first two characters tell its form; an empty array is read as no text at all.
fn take_prompt(object: &mut Object) -> Result<Prompt, CodecError> {
    let raw: Box<RawValue> = object.require("prompt")?;
    let json = raw.get();
    let element = json.strip_prefix('[').map(str::trim_ascii_start);
    let read = match (json.as_bytes()[0], element.map(|rest| rest.as_bytes()[0])) {
        (b'"', _) => serde_json::from_str(json).map(Prompt::Text),
        (_, Some(b'"' | b']')) => serde_json::from_str(json).map(Prompt::Texts),
        (_, Some(b'[')) => serde_json::from_str(json).map(Prompt::TokenIdLists),
        (_, Some(_)) => serde_json::from_str(json).map(Prompt::TokenIds),
        _ => {
            let expected = "a text, token ids, or an array of the one or the other";
            return Err(CodecError::invalid(object.path("prompt"), expected));
        }
    };
    read.map_err(|source| CodecError::Field {
        path: object.path("prompt"),
        source,
    })
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

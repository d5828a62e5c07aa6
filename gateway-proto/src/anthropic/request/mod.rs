//! Requests.
mod blocks;
mod conversation;
mod media;
mod options;
mod system;
mod tools;
mod turn;

use super::document::Document;
use super::read::{Node, Object};
use crate::dialect::DialectError;
use crate::ir::{Message, Prompt, Request, Sampling};

/// Reads a Messages request.
///
/// `metadata.user_id` becomes the member `user` of [`Request::extra`], OpenAI's name for it. What a message or block has
/// beyond what the neutral form names stays in its `extra`: `is_error` of a result, and of the assistant's thinking the
/// `thinking_signatures` and `redacted_thinking`. A closing assistant message asks to be continued.
///
/// Messages of one speaker in a row are one turn; a tool's result is a message of its own, in its place among the rest
/// of what the user says.
///
/// # Errors
/// A [`DialectError`] with the path of the member, as `messages.3.content.0.tool_use_id`.
pub fn decode_request(body: &[u8]) -> Result<Request, DialectError> {
    let document = Document::parse(body)?;
    let body = Node::body(&document);
    let mut object = body.object()?;
    let max_tokens = object.require("max_tokens")?.at_least(1)?;
    decode(object, Some(max_tokens))
}

/// Reads the body of `count_tokens`: a request that need not say `max_tokens`.
///
/// # Errors
/// As [`decode_request`].
pub fn decode_count(body: &[u8]) -> Result<Request, DialectError> {
    let document = Document::parse(body)?;
    let body = Node::body(&document);
    let mut object = body.object()?;
    let max_tokens = object.take("max_tokens");
    let max_tokens = max_tokens.map(|node| node.at_least(1)).transpose()?;
    decode(object, max_tokens)
}

fn decode(mut object: Object<'_, '_>, max_tokens: Option<u64>) -> Result<Request, DialectError> {
    let mut request = Request {
        model: object.require("model")?.filled()?,
        sampling: Sampling {
            max_tokens,
            ..options::sampling(&mut object)?
        },
        stops: options::stops(&mut object)?,
        tools: tools::tools(&mut object)?,
        reasoning: options::reasoning(&mut object, max_tokens)?,
        ..Request::default()
    };
    if let Some(stream) = object.take("stream") {
        request.stream = stream.boolean()?;
        request.include_usage = request.stream;
    }
    tools::take_choice(&mut object, &mut request)?;
    options::take_output(&mut object, &mut request)?;
    options::refuse_servers(&mut object)?;
    options::refuse_thread(&mut object)?;
    let user = options::take_user(&mut object)?;
    take_prompt(&mut object, &mut request)?;
    object.take("cache_control");
    let mut extra = object.rest();
    for (key, value) in user.iter() {
        extra.put_raw(key.to_owned(), value.to_owned());
    }
    extra.append(&request.extra);
    request.extra = extra;
    Ok(request)
}

/// Reads `system` and `messages`.
fn take_prompt(object: &mut Object<'_, '_>, request: &mut Request) -> Result<(), DialectError> {
    let mut messages: Vec<Message> = Vec::new();
    if let Some(system) = object.take("system") {
        messages.extend(system::message(&system)?);
    }
    let (turns, continues) = conversation::read(&object.require("messages")?)?;
    messages.extend(turns);
    if continues {
        request.template.continue_final_message = true;
        request.template.add_generation_prompt = Some(false);
    }
    request.prompt = Prompt::Messages(messages);
    Ok(())
}

//! Chat requests.

use crate::ir::{Fields, Message, Prompt, Request};
use crate::openai::CodecError;
use crate::openai::codec::common;
use crate::openai::codec::object::{Builder, Object, to_vec};

use super::message::{self, PartRoom};
use super::{options, tools};

/// Reads a chat request.
///
/// The members that engines name differently are read in all their names and written in vLLM's; `functions` and
/// `function_call` are read as tools. A switch for reasoning is told to the template too, as both `enable_thinking` and
/// `thinking`, unless the caller set one of them.
///
/// # Errors
/// [`CodecError`] with the path of the member that is missing or of the wrong type.
pub fn decode_request(body: &[u8]) -> Result<Request, CodecError> {
    let mut object = Object::from_body(body)?;
    let mut request = common::take_request(&mut object)?;
    let mut room = PartRoom::default();
    let message = |object| tools::message(object, &mut room);
    let mut messages = object.take_objects("messages", message)?;
    tools::link(&mut messages);
    request.prompt = Prompt::Messages(messages);
    request.tools = tools::take(&mut object)?;
    request.tool_choice = tools::take_choice(&mut object)?;
    options::take(&mut object, &mut request)?;
    request.extra = object.fields;
    Ok(request)
}

/// Writes a chat request.
///
/// A prompt that is not a conversation becomes one: each text a user's message. Token ids have no text form and are
/// written to `input_ids`, which SGLang's chat route takes.
#[must_use]
pub fn encode_request(request: &Request) -> Vec<u8> {
    let builder = Builder::default().put("model", &request.model);
    let said = |text: &String| {
        let content = Some(crate::ir::Content::Text(text.clone()));
        message::encode(&Message {
            role: "user".to_owned(),
            content,
            ..Message::default()
        })
    };
    let builder = match &request.prompt {
        Prompt::Messages(messages) => builder.put(
            "messages",
            &messages.iter().map(message::encode).collect::<Vec<_>>(),
        ),
        Prompt::Text(text) => builder.put("messages", &[said(text)]),
        Prompt::Texts(texts) => {
            builder.put("messages", &texts.iter().map(said).collect::<Vec<_>>())
        }
        Prompt::TokenIds(ids) => builder.put("input_ids", ids),
        Prompt::TokenIdLists(lists) => builder.put("input_ids", lists),
    };
    let tools: Vec<Fields> = request.offered_tools().map(tools::encode).collect();
    let builder = tools::put_choice(builder.put_list("tools", &tools), &request.tool_choice);
    to_vec(&common::put_request(
        options::put(builder, request),
        request,
    ))
}

//! Chat requests.

use crate::ir::{Fields, Message, Prompt, Request, Tool};
use crate::openai::CodecError;
use crate::openai::codec::common;
use crate::openai::codec::object::{Builder, Object, to_vec};

use super::message;

/// Reads a chat request.
///
/// # Errors
/// [`CodecError`] with the path of the member that is missing or of the wrong type.
pub fn decode_request(body: &[u8]) -> Result<Request, CodecError> {
    let mut object = Object::from_body(body)?;
    let mut request = common::take_request(&mut object)?;
    request.prompt = Prompt::Messages(object.take_objects("messages", message::decode)?);
    request.tools = object.take_objects("tools", tool)?;
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
    let tools: Vec<Fields> = request.tools.iter().map(encode_tool).collect();
    to_vec(&common::put_request(
        builder.put_list("tools", &tools),
        request,
    ))
}

fn tool(mut object: Object) -> Result<Tool, CodecError> {
    if object.fields.raw("type") != Some("\"function\"") {
        return Ok(Tool::Other(object.fields));
    }
    object.fields.take_raw("type");
    let mut function = object.require_object("function")?;
    Ok(Tool::Function {
        name: function.require("name")?,
        definition: function.fields,
        extra: object.fields,
    })
}

fn encode_tool(tool: &Tool) -> Fields {
    match tool {
        Tool::Other(fields) => fields.clone(),
        Tool::Function {
            name,
            definition,
            extra,
        } => {
            let function = Builder::default().put("name", name).extra(definition);
            Builder::default()
                .put("type", "function")
                .put("function", &function)
                .extra(extra)
        }
    }
}

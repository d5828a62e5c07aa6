//! Tools and which of them to call, with the older `functions` and `function_call`.

use crate::ir::{Fields, Message, Tool, ToolCall, ToolChoice};
use crate::openai::CodecError;
use crate::openai::codec::object::{Builder, Object};

use super::message::{self, PartRoom};

/// Takes `tools` and `functions`.
pub(super) fn take(object: &mut Object) -> Result<Vec<Tool>, CodecError> {
    let mut tools = object.take_objects("tools", tool)?;
    tools.extend(object.take_objects("functions", |object| function(object, Fields::new()))?);
    Ok(tools)
}

fn tool(mut object: Object) -> Result<Tool, CodecError> {
    let kind = object.fields.raw("type").filter(|kind| *kind != "null");
    // Engines take a tool that does not say its type for a function.
    let is_function = kind.map_or(object.fields.raw("function").is_some(), |kind| {
        kind == "\"function\""
    });
    if !is_function {
        return Ok(Tool::Other(object.fields));
    }
    object.fields.take_raw("type");
    let inner = object.require_object("function")?;
    function(inner, object.fields)
}

fn function(mut object: Object, extra: Fields) -> Result<Tool, CodecError> {
    Ok(Tool::Function {
        name: object.require("name")?,
        definition: object.fields,
        extra,
    })
}

/// A tool as a member of `tools`.
pub(super) fn encode(tool: &Tool) -> Fields {
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

/// Takes `tool_choice`, or the older `function_call`.
pub(super) fn take_choice(object: &mut Object) -> Result<ToolChoice, CodecError> {
    let older = choice(object, "function_call")?;
    Ok(match choice(object, "tool_choice")? {
        ToolChoice::Unset => older,
        newer => newer,
    })
}

fn choice(object: &mut Object, key: &str) -> Result<ToolChoice, CodecError> {
    const WORDS: &str = "'none', 'auto', 'required' or an object that names a function";
    let path = object.path(key);
    if !object
        .fields
        .raw(key)
        .is_some_and(|raw| raw.starts_with('"'))
    {
        return match object.take_object(key)? {
            Some(named) => named_choice(named),
            None => Ok(ToolChoice::Unset),
        };
    }
    let word: String = object.require(key)?;
    match word.as_str() {
        "none" => Ok(ToolChoice::None),
        "auto" => Ok(ToolChoice::Auto),
        "required" => Ok(ToolChoice::Required),
        _ => Err(CodecError::invalid(path, WORDS)),
    }
}

fn named_choice(mut object: Object) -> Result<ToolChoice, CodecError> {
    let kind: Option<String> = object.take("type")?;
    match kind.as_deref() {
        Some("allowed_tools") => allowed(object.require_object("allowed_tools")?),
        Some("function") | None => match object.take_object("function")? {
            Some(mut function) => Ok(ToolChoice::Named(function.require("name")?)),
            None => Ok(ToolChoice::Named(object.require("name")?)),
        },
        Some(_) => Err(CodecError::invalid(
            object.path("type"),
            "'function' or 'allowed_tools'",
        )),
    }
}

fn allowed(mut object: Object) -> Result<ToolChoice, CodecError> {
    let mode: String = object.require("mode")?;
    let required = match mode.as_str() {
        "auto" => false,
        "required" => true,
        _ => {
            return Err(CodecError::invalid(
                object.path("mode"),
                "'auto' or 'required'",
            ));
        }
    };
    let names = object.take_objects("tools", |mut tool| match tool.take_object("function")? {
        Some(mut function) => function.require("name"),
        None => tool.require("name"),
    })?;
    Ok(ToolChoice::Allowed { names, required })
}

/// Puts `tool_choice` where something was said. Engines have no word for allowed tools: it is the others that are left
/// out of `tools`.
pub(super) fn put_choice(builder: Builder, choice: &ToolChoice) -> Builder {
    let word = match choice {
        ToolChoice::Unset => return builder,
        ToolChoice::Auto
        | ToolChoice::Allowed {
            required: false, ..
        } => "auto",
        ToolChoice::Required | ToolChoice::Allowed { required: true, .. } => "required",
        ToolChoice::None => "none",
        ToolChoice::Named(name) => {
            let function = Builder::default().put("name", name).extra(&Fields::new());
            let named = Builder::default()
                .put("type", "function")
                .put("function", &function);
            return builder.put("tool_choice", &named.extra(&Fields::new()));
        }
    };
    builder.put("tool_choice", word)
}

/// Reads a message of a request, where an assistant may still have the older `function_call`.
pub(super) fn message(mut object: Object, room: &mut PartRoom) -> Result<Message, CodecError> {
    let call = object.take_object("function_call")?;
    let mut message = message::decode(object, room)?;
    if let Some(mut call) = call {
        message.tool_calls.push(ToolCall {
            name: call.require("name")?,
            arguments: call.take_or_default("arguments")?,
            ..ToolCall::default()
        });
    }
    Ok(message)
}

/// Gives the calls without an id one that names their message, and ties results to them: the older form has a name only.
pub(super) fn link(messages: &mut [Message]) {
    let mut last = None;
    for (index, message) in messages.iter_mut().enumerate() {
        for (nth, call) in message.tool_calls.iter_mut().enumerate() {
            if call.id.is_empty() {
                call.id = format!("call_{index}_{nth}");
                last = Some(call.id.clone());
            }
        }
        if message.role == "function" {
            "tool".clone_into(&mut message.role);
            message.tool_call_id = message.tool_call_id.take().or_else(|| last.take());
        }
    }
}

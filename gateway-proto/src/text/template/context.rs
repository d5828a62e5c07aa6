//! A request as the variables of a template.

use minijinja::Value;

use super::facts::Shape;
use super::python::{Dict, List, loads};
use super::time::{CLOCK, LocalTime};
use super::{SpecialTokens, TemplateError};
use crate::ir::{Content, Fields, Json, Message, Part, Prompt, Request, Tool, ToolCall};

/// Variables that no `chat_template_kwargs` may set.
const RESERVED: [&str; 5] = [
    "messages",
    "tools",
    "documents",
    "add_generation_prompt",
    "continue_final_message",
];

/// Everything a template sees, with `messages` as they were made by [`messages`].
pub(super) fn variables(
    request: &Request,
    messages: Vec<Value>,
    tokens: &SpecialTokens,
    now: LocalTime,
) -> Result<Value, TemplateError> {
    let options = &request.template;
    let mut dict = Variables(Vec::with_capacity(24));
    for (name, token) in tokens.named() {
        if let Some(token) = token {
            dict.set(name, Value::from(token));
        }
    }
    reasoning(request, &mut dict);
    for (name, raw) in options.kwargs.iter() {
        if !RESERVED.contains(&name) {
            let value = loads(raw.get()).ok_or(TemplateError::TooDeep("chat_template_kwargs"))?;
            dict.set(name, value);
        }
    }
    let open = options.add_generation_prompt.unwrap_or(true) && !options.continue_final_message;
    dict.set("messages", List::value(messages));
    dict.set("tools", tools(request.offered_tools())?);
    dict.set("documents", documents(options.documents.as_ref())?);
    dict.set("add_generation_prompt", Value::from(open));
    dict.set(CLOCK, Value::from_object(now));
    Ok(Value::from_pairs(dict.0))
}

/// Pairs of which a later one of a name counts.
struct Variables(Vec<(String, Value)>);

impl Variables {
    fn set(&mut self, name: &str, value: Value) {
        self.0.push((name.to_owned(), value));
    }
}

/// The switches that model families have for reasoning; a template reads its own and leaves the others alone.
fn reasoning(request: &Request, dict: &mut Variables) {
    let wanted = &request.reasoning;
    let off = wanted.effort.as_deref() == Some("none");
    if let Some(enabled) = wanted.enabled.or(off.then_some(false)) {
        dict.set("enable_thinking", Value::from(enabled));
        dict.set("thinking", Value::from(enabled));
    }
    if let Some(effort) = &wanted.effort {
        dict.set("reasoning_effort", Value::from(effort));
    }
    if let Some(budget) = wanted.budget_tokens {
        dict.set("thinking_budget", Value::from(budget));
    }
}

fn documents(documents: Option<&Json>) -> Result<Value, TemplateError> {
    let Some(documents) = documents else {
        return Ok(Value::from(()));
    };
    let value = loads(documents.as_str()).ok_or(TemplateError::TooDeep("documents"))?;
    let is_list = value.kind() == minijinja::value::ValueKind::Seq;
    let mut entries = value.try_iter().map_err(|_| TemplateError::Documents)?;
    if !is_list || entries.any(|entry| entry.kind() != minijinja::value::ValueKind::Map) {
        return Err(TemplateError::Documents);
    }
    Ok(value)
}

fn tools<'t>(tools: impl Iterator<Item = &'t Tool>) -> Result<Value, TemplateError> {
    let tools: Vec<Value> = tools.map(tool).collect::<Result<_, _>>()?;
    if tools.is_empty() {
        return Ok(Value::from(()));
    }
    Ok(List::value(tools))
}

fn tool(tool: &Tool) -> Result<Value, TemplateError> {
    let mut dict = Dict::default();
    match tool {
        Tool::Other(fields) => put(&mut dict, fields, "tools")?,
        Tool::Function {
            name,
            definition,
            extra,
        } => {
            let mut function = Dict::default();
            function.set("name", Value::from(name));
            put(&mut function, definition, "tools")?;
            dict.set("type", Value::from("function"));
            dict.set("function", Value::from_object(function));
            put(&mut dict, extra, "tools")?;
        }
    }
    Ok(Value::from_object(dict))
}

fn put(dict: &mut Dict, fields: &Fields, whose: &'static str) -> Result<(), TemplateError> {
    for (name, raw) in fields.iter() {
        let value = loads(raw.get()).ok_or(TemplateError::TooDeep(whose))?;
        dict.set(name.to_owned(), value);
    }
    Ok(())
}

/// The conversation, its contents in the form that the template wants. `tail` is put behind the last message's content.
pub(super) fn messages(
    request: &Request,
    shape: &Shape,
    tail: Option<&str>,
) -> Result<Vec<Value>, TemplateError> {
    let Prompt::Messages(messages) = &request.prompt else {
        return Err(TemplateError::NoConversation);
    };
    let last = messages.len().saturating_sub(1);
    let entries = messages.iter().enumerate();
    entries
        .map(|(at, entry)| message(entry, shape, tail.filter(|_| at == last)))
        .collect()
}

fn message(message: &Message, shape: &Shape, tail: Option<&str>) -> Result<Value, TemplateError> {
    let mut dict = Dict::with_capacity(8);
    // Reasoning under both names that templates read, in the order that `transformers` gives them.
    if let Some(reasoning) = &message.reasoning {
        dict.set("thinking", Value::from(reasoning));
    }
    dict.set("role", Value::from(&message.role));
    dict.set("content", content(message.content.as_ref(), shape, tail)?);
    if let Some(reasoning) = &message.reasoning {
        dict.set("reasoning_content", Value::from(reasoning));
    }
    if !message.tool_calls.is_empty() {
        let calls = message.tool_calls.iter();
        let calls: Result<Vec<Value>, _> = calls.map(|entry| call(entry, shape)).collect();
        dict.set("tool_calls", List::value(calls?));
    }
    if let Some(id) = &message.tool_call_id {
        dict.set("tool_call_id", Value::from(id));
    }
    put(&mut dict, &message.extra, "messages")?;
    Ok(Value::from_object(dict))
}

fn call(call: &ToolCall, shape: &Shape) -> Result<Value, TemplateError> {
    let mut function = Dict::with_capacity(2);
    function.set("name", Value::from(&call.name));
    function.set("arguments", arguments(&call.arguments, shape));
    let mut dict = Dict::with_capacity(3);
    if !call.id.is_empty() {
        dict.set("id", Value::from(&call.id));
    }
    dict.set("type", Value::from("function"));
    dict.set("function", Value::from_object(function));
    put(&mut dict, &call.extra, "tool_calls")?;
    Ok(Value::from_object(dict))
}

/// Models write JSON objects; what they write else stays text.
fn arguments(text: &str, shape: &Shape) -> Value {
    if shape.arguments_as_text {
        return Value::from(text);
    }
    let object = loads(text).filter(|value| value.kind() == minijinja::value::ValueKind::Map);
    object.unwrap_or_else(|| Value::from(text))
}

fn content(
    content: Option<&Content>,
    shape: &Shape,
    tail: Option<&str>,
) -> Result<Value, TemplateError> {
    match content {
        None if shape.null_as_empty => Ok(Value::from("")),
        None => Ok(Value::from(())),
        Some(Content::Text(text)) if shape.text_as_parts => {
            let part = text_part(text, &Fields::new(), tail.unwrap_or_default())?;
            Ok(List::value(vec![part]))
        }
        Some(Content::Text(text)) => Ok(joined(text, tail.unwrap_or_default())),
        Some(Content::Parts(list)) => match flat(list).filter(|_| shape.parts_as_text) {
            Some(text) => Ok(joined(&text, tail.unwrap_or_default())),
            None => parts(list, tail.unwrap_or_default()),
        },
    }
}

fn joined(text: &str, tail: &str) -> Value {
    if tail.is_empty() {
        return Value::from(text);
    }
    Value::from([text, tail].concat())
}

/// Text parts as one text, a line each; `None` where there are others.
fn flat(parts: &[Part]) -> Option<String> {
    let text = |part: &Part| match part {
        Part::Text { text, .. } => Some(text.clone()),
        Part::Other(_) => None,
    };
    let texts: Option<Vec<String>> = parts.iter().map(text).collect();
    texts.map(|texts| texts.join("\n"))
}

fn parts(parts: &[Part], tail: &str) -> Result<Value, TemplateError> {
    let last_text = parts
        .iter()
        .rposition(|part| matches!(part, Part::Text { .. }));
    let entries = parts.iter().enumerate();
    let values: Result<Vec<Value>, _> = entries
        .map(|(at, part)| match part {
            Part::Text { text, extra } => {
                let tail = if Some(at) == last_text { tail } else { "" };
                text_part(text, extra, tail)
            }
            Part::Other(fields) => {
                let mut dict = Dict::default();
                put(&mut dict, fields, "messages")?;
                Ok(Value::from_object(dict))
            }
        })
        .collect();
    Ok(List::value(values?))
}

fn text_part(text: &str, extra: &Fields, tail: &str) -> Result<Value, TemplateError> {
    let mut dict = Dict::with_capacity(2);
    dict.set("type", Value::from("text"));
    dict.set("text", joined(text, tail));
    put(&mut dict, extra, "messages")?;
    Ok(Value::from_object(dict))
}

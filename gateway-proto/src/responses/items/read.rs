//! Items out of requests and stores.

use serde_json::value::RawValue;

use super::calls::{client_call, custom_call, function_call, is_client_call, is_output, output};
use super::compaction::compaction;
use super::content::{content, texts};
use super::{Item, ItemBody};
use crate::dialect::DialectError;
use crate::ir::{Content, Fields, Json, Part};
use crate::responses::node::{Node, elements, invalid, missing, shown, string};
use crate::responses::opaque;

/// What another service ran by itself.
const RECEIPTS: [&str; 6] = [
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "mcp_call",
    "mcp_list_tools",
];

/// Reads `input`: one text of the user, or items.
pub(in crate::responses) fn read_input(raw: &RawValue) -> Result<Vec<Item>, DialectError> {
    if raw.get().starts_with('"') {
        let said = string(raw, "input")?;
        return Ok(vec![user_message(&said)]);
    }
    read_list(raw, "input")
}

/// Reads an array of items.
pub(in crate::responses) fn read_list(
    raw: &RawValue,
    path: &str,
) -> Result<Vec<Item>, DialectError> {
    let mut items = Vec::new();
    elements(raw, path, |path, raw| {
        items.push(read(raw, path, Nesting::Top)?);
        Ok(())
    })?;
    Ok(items)
}

/// Reads an item out of a store.
pub(super) fn stored(json: &str) -> Result<Item, DialectError> {
    let raw: &RawValue = serde_json::from_str(json)
        .map_err(|error| DialectError::body(format!("An item is no JSON: {error}.")))?;
    read(raw, String::new(), Nesting::Top)
}

/// The item's JSON as listings tell it: with this id, with a status, and a message's text as a part.
pub(super) fn completed(item: &Item, id: &str) -> Json {
    let mut fields: Fields =
        serde_json::from_str(item.json.as_str()).expect("an item is an object");
    put(&mut fields, "id", id);
    let has = |fields: &Fields, key: &str| fields.raw(key).is_some_and(|raw| raw != "null");
    if !has(&fields, "status") && !matches!(item.body, ItemBody::Compaction(_)) {
        put(&mut fields, "status", "completed");
    }
    if let ItemBody::Message { role, content } = &item.body
        && fields
            .raw("content")
            .is_some_and(|raw| raw.starts_with('"'))
        && let Content::Text(text) = content
    {
        put(&mut fields, "content", &[text_part(role, text)]);
    }
    Json::of(&fields).expect("raw JSON serialises")
}

fn text_part(role: &str, text: &str) -> Fields {
    let mut part = Fields::new();
    if role == "assistant" {
        put(&mut part, "type", "output_text");
        put(&mut part, "annotations", &[(); 0]);
    } else {
        put(&mut part, "type", "input_text");
    }
    put(&mut part, "text", text);
    part
}

/// Whether an item may hold others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nesting {
    /// Any item.
    Top,
    /// No item that holds others.
    Within,
}

/// Reads one item.
pub(super) fn read(raw: &RawValue, path: String, nesting: Nesting) -> Result<Item, DialectError> {
    let mut node = Node::read(raw, path)?;
    let id: Option<String> = node.take("id")?;
    let id = id.filter(|id| !id.is_empty());
    let said: Option<String> = node.take("type")?;
    let kind = match &said {
        Some(kind) => kind.as_str(),
        // Some clients leave the type out, where the rest says it all.
        None if node.fields.raw("role").is_some() => "message",
        None if id.is_some() => "item_reference",
        None => return Err(missing(node.path("type"))),
    };
    let body = body(kind, id.as_deref(), &mut node, nesting)?;
    let path = node.own_path().to_owned();
    let json = match said {
        Some(_) => Json::from(raw.to_owned()),
        None => with_type(raw, kind),
    };
    Ok(Item {
        id,
        json,
        body,
        path,
    })
}

fn body(
    kind: &str,
    id: Option<&str>,
    node: &mut Node,
    nesting: Nesting,
) -> Result<ItemBody, DialectError> {
    match kind {
        "message" => message(node),
        "reasoning" => reasoning(node),
        "function_call" => function_call(node),
        "custom_tool_call" => custom_call(node),
        "item_reference" => match id {
            Some(id) => Ok(ItemBody::Reference(id.to_owned())),
            None => Err(missing(node.path("id"))),
        },
        "compaction" | "compaction_summary" if nesting == Nesting::Top => compaction(node),
        kind if is_client_call(kind) => client_call(kind, node),
        kind if is_output(kind) => output(node),
        kind if RECEIPTS.contains(&kind) => Ok(ItemBody::Receipt),
        kind => {
            let why = format!("items of type '{}' are not understood", shown(kind));
            Err(invalid(node.path("type"), why))
        }
    }
}

fn message(node: &mut Node) -> Result<ItemBody, DialectError> {
    let role: String = node.require("role")?;
    if !matches!(role.as_str(), "user" | "system" | "developer" | "assistant") {
        let why = format!(
            "'{}' is none of 'user', 'system', 'developer', 'assistant'",
            shown(&role)
        );
        return Err(invalid(node.path("role"), why));
    }
    let path = node.path("content");
    let raw = node
        .take_raw("content")
        .ok_or_else(|| missing(path.clone()))?;
    let content = content(&raw, &path)?;
    if role == "assistant" && has_media(&content) {
        return Err(invalid(path, "what the model said can only be text"));
    }
    Ok(ItemBody::Message { role, content })
}

fn has_media(content: &Content) -> bool {
    match content {
        Content::Text(_) => false,
        Content::Parts(parts) => parts.iter().any(|part| matches!(part, Part::Other(_))),
    }
}

/// The text of a reasoning item: told in the clear, else in our own opaque form, else the summary. An opaque text of
/// another service says nothing to us and is no error, so that conversations can move.
fn reasoning(node: &mut Node) -> Result<ItemBody, DialectError> {
    let mut told = [None, None];
    for (slot, key) in told.iter_mut().zip(["content", "summary"]) {
        let path = node.path(key);
        if let Some(raw) = node.take_raw(key) {
            *slot = texts(&raw, &path)?;
        }
    }
    let sealed: Option<String> = node.take("encrypted_content")?;
    let opened = sealed.and_then(|sealed| opaque::open(opaque::Kind::Reasoning, &sealed));
    let [clear, summary] = told;
    let text = clear.or(opened).or(summary).unwrap_or_default();
    Ok(ItemBody::Reasoning(text))
}

fn user_message(said: &str) -> Item {
    let mut fields = Fields::new();
    put(&mut fields, "type", "message");
    put(&mut fields, "role", "user");
    put(&mut fields, "content", &[text_part("user", said)]);
    Item {
        id: None,
        json: Json::of(&fields).expect("raw JSON serialises"),
        body: ItemBody::Message {
            role: "user".to_owned(),
            content: Content::Text(said.to_owned()),
        },
        path: "input".to_owned(),
    }
}

/// The item's JSON with its type in front, in place of a `null`.
fn with_type(raw: &RawValue, kind: &str) -> Json {
    let mut rest: Fields = serde_json::from_str(raw.get()).expect("an item is an object");
    rest.take_raw("type");
    let mut fields = Fields::new();
    put(&mut fields, "type", kind);
    fields.append(&rest);
    Json::of(&fields).expect("raw JSON serialises")
}

fn put<T: serde::Serialize + ?Sized>(fields: &mut Fields, key: &str, value: &T) {
    fields.put(key, value).expect("plain data serialises");
}

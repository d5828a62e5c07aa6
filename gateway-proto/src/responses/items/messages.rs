//! Items made messages of the neutral form.

use std::collections::HashSet;

use super::{Item, ItemBody};
use crate::dialect::DialectError;
use crate::ir::{Content, Message, Part, ToolCall};
use crate::responses::node::shown;
use crate::responses::tools::ToolNames;

/// A conversation in the neutral form.
///
/// What the model wrote in one turn comes as several items (reasoning, message, calls) and becomes one message, which
/// is what templates expect.
struct Transcript<'a> {
    names: &'a ToolNames,
    messages: Vec<Message>,
    calls: HashSet<String>,
    /// Whether the last message is a turn of the model that may still grow.
    open: bool,
}

/// The messages of `items` in their order, after those of `instructions`.
pub(in crate::responses) fn transcript<'a>(
    instructions: Option<&str>,
    items: impl IntoIterator<Item = &'a Item>,
    names: &ToolNames,
) -> Result<Vec<Message>, DialectError> {
    let mut transcript = Transcript {
        names,
        messages: Vec::new(),
        calls: HashSet::new(),
        open: false,
    };
    if let Some(text) = instructions.filter(|text| !text.is_empty()) {
        transcript.say("system", &Content::Text(text.to_owned()));
    }
    for item in items {
        transcript.add(item)?;
    }
    Ok(transcript.messages)
}

impl Transcript<'_> {
    fn add(&mut self, item: &Item) -> Result<(), DialectError> {
        match &item.body {
            ItemBody::Message { role, content } if role == "assistant" => self.wrote(content),
            ItemBody::Message { role, content } => self.say(role, content),
            ItemBody::Reasoning(text) => self.reasoned(text),
            ItemBody::Call { call, namespace } => self.called(call, namespace.as_deref()),
            ItemBody::Output { call_id, content } => {
                return self.answered(item, call_id, content);
            }
            ItemBody::Compaction(items) => {
                for item in items {
                    self.add(item)?;
                }
            }
            ItemBody::Reference(id) => return Err(unknown_item(item, id)),
            ItemBody::Receipt => {}
        }
        Ok(())
    }

    fn say(&mut self, role: &str, content: &Content) {
        self.open = false;
        self.messages.push(Message {
            role: role.to_owned(),
            content: Some(content.clone()),
            ..Message::default()
        });
    }

    /// The model's turn, a new one where the last cannot take what `fits` asks for.
    fn turn(&mut self, fits: impl Fn(&Message) -> bool) -> &mut Message {
        if !self.open || !self.messages.last().is_some_and(fits) {
            self.messages.push(Message {
                role: "assistant".to_owned(),
                ..Message::default()
            });
            self.open = true;
        }
        self.messages.last_mut().expect("pushed where missing")
    }

    fn reasoned(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        // Calls that wait for their outputs must not be parted by a turn between.
        let turn = self.turn(|turn| turn.content.is_none() || !turn.tool_calls.is_empty());
        match &mut turn.reasoning {
            Some(before) => {
                before.push('\n');
                before.push_str(text);
            }
            None => turn.reasoning = Some(text.to_owned()),
        }
    }

    fn wrote(&mut self, content: &Content) {
        let content = Content::Text(plain(content));
        let turn = self.turn(|turn| turn.content.is_none() || !turn.tool_calls.is_empty());
        match (&mut turn.content, content) {
            (Some(Content::Text(before)), Content::Text(more)) => {
                before.push('\n');
                before.push_str(&more);
            }
            (slot, content) => *slot = Some(content),
        }
    }

    fn called(&mut self, call: &ToolCall, namespace: Option<&str>) {
        self.calls.insert(call.id.clone());
        let name = self.names.flat(namespace, &call.name);
        self.turn(|_| true).tool_calls.push(ToolCall {
            name,
            ..call.clone()
        });
    }

    fn answered(
        &mut self,
        item: &Item,
        call_id: &str,
        content: &Content,
    ) -> Result<(), DialectError> {
        if !self.calls.contains(call_id) {
            let message = format!(
                "No tool call found for function call output with call_id {}.",
                shown(call_id)
            );
            return Err(DialectError {
                path: Some(member(item, "call_id")),
                message,
                code: Some("unknown_call_id"),
            });
        }
        self.open = false;
        self.messages.push(Message {
            role: "tool".to_owned(),
            content: Some(content.clone()),
            tool_call_id: Some(call_id.to_owned()),
            ..Message::default()
        });
        Ok(())
    }
}

/// What the model wrote is text alone.
fn plain(content: &Content) -> String {
    match content {
        Content::Text(text) => text.clone(),
        Content::Parts(parts) => parts
            .iter()
            .filter_map(|part| match part {
                Part::Text { text, .. } => Some(text.as_str()),
                Part::Other(_) => None,
            })
            .collect(),
    }
}

fn unknown_item(item: &Item, id: &str) -> DialectError {
    let message = format!("Item with id '{}' not found.", shown(id));
    DialectError::at(member(item, "id"), message).with_code("item_not_found")
}

fn member(item: &Item, key: &str) -> String {
    if item.path.is_empty() {
        key.to_owned()
    } else {
        format!("{}.{key}", item.path)
    }
}

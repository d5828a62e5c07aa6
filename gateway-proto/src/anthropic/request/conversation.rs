//! The turns: user and assistant messages of blocks become messages of the neutral form.

use std::collections::HashSet;

use super::turn::Turn;
use super::{blocks, system};
use crate::anthropic::read::{Node, Object, Place};
use crate::dialect::DialectError;
use crate::ir::{Content, Fields, Message, Part};
use crate::openai::JsonKind;

/// Reads `messages`. The flag tells that the last one, the assistant's, is to be continued.
pub(super) fn read(list: &Node<'_, '_>) -> Result<(Vec<Message>, bool), DialectError> {
    let (mut reader, mut last) = (Conversation::default(), 0);
    for (at, node) in list.elements()?.enumerate() {
        reader.message(&node)?;
        last = at;
    }
    let continues = reader.closing_turn().map_err(|problem| {
        let place = Place::Element(&list.place, last);
        place.fault(problem).with_code("invalid_value")
    })?;
    if reader.messages.is_empty() {
        let problem = "at least one message that says something is required";
        return Err(list.fault(problem).with_code("invalid_value"));
    }
    Ok((reader.messages, continues))
}

#[derive(Default)]
struct Conversation {
    messages: Vec<Message>,
    /// The assistant's turn being read; it may come in several messages.
    turn: Option<Turn>,
    /// The ids of all calls so far.
    calls: HashSet<String>,
}

impl Conversation {
    fn message(&mut self, node: &Node<'_, '_>) -> Result<(), DialectError> {
        let mut object = node.object()?;
        let role = object.require("role")?;
        let content = object.require("content")?;
        let role_name = role.string()?;
        if role_name != "assistant" {
            self.settle();
        }
        match &*role_name {
            "user" => self.user(&content),
            "assistant" => self.assistant(&content),
            "system" => {
                self.messages.extend(system::message(&content)?);
                Ok(())
            }
            other => {
                let problem = format!("'{other}' is not one of 'user', 'assistant' and 'system'");
                Err(role.fault(problem).with_code("invalid_value"))
            }
        }
    }

    /// Tool results become messages of their own, in their place among the rest.
    fn user(&mut self, content: &Node<'_, '_>) -> Result<(), DialectError> {
        if content.kind() == JsonKind::String {
            let mut parts = vec![blocks::plain(content.filled()?)];
            self.flush(&mut parts);
            return Ok(());
        }
        let mut parts = Vec::new();
        let mut blocks = block_list(content)?.peekable();
        if blocks.peek().is_none() {
            return Err(content
                .fault("must not be empty")
                .with_code("invalid_value"));
        }
        for node in blocks {
            let mut block = node.object()?;
            let kind = block.tag()?;
            if kind == "tool_result" {
                self.flush(&mut parts);
                self.result(block)?;
            } else {
                parts.extend(blocks::parts(&kind, &node, block)?);
            }
        }
        self.flush(&mut parts);
        Ok(())
    }

    /// Adds what a user said; what follows on a user's message belongs to the same turn, and templates that want turns
    /// to alternate take it so.
    fn flush(&mut self, parts: &mut Vec<Part>) {
        if parts.is_empty() {
            return;
        }
        let more = std::mem::take(parts);
        match self.messages.last_mut().filter(|last| last.role == "user") {
            Some(last) => last.content = Some(blocks::joined(last.content.take(), more)),
            None => self.messages.push(Message {
                role: "user".to_owned(),
                content: Some(blocks::gathered(more)),
                ..Message::default()
            }),
        }
    }

    fn result(&mut self, mut block: Object<'_, '_>) -> Result<(), DialectError> {
        let call = block.require("tool_use_id")?;
        let id = call.filled()?;
        if !self.calls.contains(&id) {
            let problem = format!("no earlier message has a tool_use block with the id '{id}'");
            return Err(call.fault(problem).with_code("invalid_value"));
        }
        let parts = match block.take("content") {
            Some(content) => blocks::content(&content)?,
            None => Vec::new(),
        };
        let failed = block.take("is_error").map(|node| node.boolean());
        let mut extra = Fields::new();
        if failed.transpose()? == Some(true) {
            extra.put("is_error", &true).expect("a flag serialises");
        }
        self.messages.push(Message {
            role: "tool".to_owned(),
            content: Some(blocks::gathered(parts)),
            tool_call_id: Some(id),
            extra,
            ..Message::default()
        });
        Ok(())
    }

    fn assistant(&mut self, content: &Node<'_, '_>) -> Result<(), DialectError> {
        let turn = self.turn.get_or_insert_default();
        turn.begin();
        if content.kind() == JsonKind::String {
            turn.text(content.string()?.into_owned(), Fields::new());
        } else {
            for node in block_list(content)? {
                turn.block(&node)?;
            }
        }
        Ok(())
    }

    /// Ends the assistant's turn, if one is being read.
    fn settle(&mut self) {
        if let Some(turn) = self.turn.take() {
            self.calls.extend(turn.call_ids());
            self.messages.push(turn.into_message());
        }
    }

    /// Looks at a closing assistant message: one that says something is to be continued, a silent one is let go.
    fn closing_turn(&mut self) -> Result<bool, &'static str> {
        self.settle();
        let Some(last) = self.messages.last().filter(|last| last.role == "assistant") else {
            return Ok(false);
        };
        if !last.tool_calls.is_empty() {
            return Err(
                "a message with tool_use blocks needs a message with their tool_result blocks after it",
            );
        }
        let silent = matches!(&last.content, Some(Content::Text(text)) if text.is_empty());
        if silent && last.reasoning.is_none() {
            self.messages.pop();
            return Ok(false);
        }
        Ok(true)
    }
}

fn block_list<'a, 'n>(
    content: &'n Node<'a, '_>,
) -> Result<impl Iterator<Item = Node<'a, 'n>>, DialectError> {
    match content.kind() {
        JsonKind::Array => content.elements(),
        _ => Err(content.expected("a string or an array of content blocks")),
    }
}

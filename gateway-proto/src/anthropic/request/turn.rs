//! An assistant's turn: its blocks gathered to one message.

use super::blocks;
use crate::anthropic::read::{Node, Object};
use crate::dialect::DialectError;
use crate::ir::{Content, Fields, Message, Part, ToolCall};
use crate::openai::JsonKind;

/// What an assistant said, thought and called.
#[derive(Default)]
pub(super) struct Turn {
    /// Nothing was said yet since the last message began.
    fresh: bool,
    parts: Vec<Part>,
    thinking: Option<String>,
    signatures: Vec<String>,
    redacted: Vec<String>,
    calls: Vec<ToolCall>,
}

impl Turn {
    /// Begins another message of the turn.
    pub(super) fn begin(&mut self) {
        self.fresh = true;
    }

    /// Takes in text; bare texts make up one, those of several messages on lines of their own.
    pub(super) fn text(&mut self, text: String, extra: Fields) {
        let fresh = std::mem::take(&mut self.fresh);
        match self.parts.last_mut() {
            Some(Part::Text {
                text: before,
                extra: bare,
            }) if bare.is_empty() && extra.is_empty() => {
                if fresh && !before.is_empty() && !text.is_empty() {
                    before.push('\n');
                }
                before.push_str(&text);
            }
            _ => self.parts.push(Part::Text { text, extra }),
        }
    }

    /// Takes in a block.
    pub(super) fn block(&mut self, node: &Node<'_, '_>) -> Result<(), DialectError> {
        let mut block = node.object()?;
        let kind = block.tag()?;
        block.take("cache_control");
        match &*kind {
            "text" => {
                let text = blocks::text(&mut block)?;
                self.text(text, block.rest());
            }
            "thinking" => self.thinking(&mut block)?,
            "redacted_thinking" => {
                let data = block.require("data")?.string()?;
                self.redacted.push(data.into_owned());
            }
            "tool_use" => self.calls.push(call(block)?),
            other => return Err(blocks::unsupported(other, node)),
        }
        Ok(())
    }

    /// Any signature is accepted: what it would prove is nothing that anybody here relies on.
    fn thinking(&mut self, block: &mut Object<'_, '_>) -> Result<(), DialectError> {
        let text = block.require("thinking")?.string()?;
        self.thinking.get_or_insert_default().push_str(&text);
        if let Some(signature) = block.take("signature") {
            self.signatures.push(signature.string()?.into_owned());
        }
        Ok(())
    }

    /// The ids of the turn's calls.
    pub(super) fn call_ids(&self) -> impl Iterator<Item = String> {
        self.calls.iter().map(|call| call.id.clone())
    }

    pub(super) fn into_message(self) -> Message {
        let mut extra = Fields::new();
        for (key, list) in [
            ("thinking_signatures", &self.signatures),
            ("redacted_thinking", &self.redacted),
        ] {
            if !list.is_empty() {
                extra.put(key, list).expect("strings serialise");
            }
        }
        let silent = self.parts.is_empty() && !self.calls.is_empty();
        let content: Option<Content> = (!silent).then(|| blocks::gathered(self.parts));
        Message {
            role: "assistant".to_owned(),
            content,
            reasoning: self.thinking.filter(|text| !text.is_empty()),
            tool_calls: self.calls,
            extra,
            ..Message::default()
        }
    }
}

fn call(mut block: Object<'_, '_>) -> Result<ToolCall, DialectError> {
    let input = block.require("input")?;
    if input.kind() != JsonKind::Object {
        return Err(input.expected("an object"));
    }
    Ok(ToolCall {
        id: block.require("id")?.filled()?,
        name: block.require("name")?.filled()?,
        arguments: input.raw().to_owned(),
        extra: block.rest(),
    })
}

//! System prompts: before the conversation, and in its midst.

use super::blocks;
use crate::anthropic::read::Node;
use crate::dialect::DialectError;
use crate::ir::{Content, Message};
use crate::openai::JsonKind;

/// A system message; several blocks are joined by line breaks, as templates take one text. `None` where nothing is
/// said.
pub(super) fn message(content: &Node<'_, '_>) -> Result<Option<Message>, DialectError> {
    let text = match content.kind() {
        JsonKind::String => content.string()?.into_owned(),
        JsonKind::Array => joined(content)?,
        _ => return Err(content.expected("a string or an array of text blocks")),
    };
    Ok((!text.is_empty()).then(|| Message {
        role: "system".to_owned(),
        content: Some(Content::Text(text)),
        ..Message::default()
    }))
}

fn joined(content: &Node<'_, '_>) -> Result<String, DialectError> {
    let mut texts = Vec::new();
    for node in content.elements()? {
        let mut block = node.object()?;
        if block.tag()? != "text" {
            return Err(node.fault("a system prompt has text blocks only"));
        }
        texts.push(blocks::text(&mut block)?);
    }
    Ok(texts.join("\n"))
}

//! Content blocks that become parts of a message.

use super::media;
use crate::anthropic::read::{Node, Object};
use crate::dialect::DialectError;
use crate::ir::{Content, Part};
use crate::openai::JsonKind;

/// Reads a text block's text.
pub(super) fn text(block: &mut Object<'_, '_>) -> Result<String, DialectError> {
    Ok(block.require("text")?.string()?.into_owned())
}

/// Reads a block of `kind` that a user's message or a tool's result may have.
pub(super) fn parts(
    kind: &str,
    node: &Node<'_, '_>,
    mut block: Object<'_, '_>,
) -> Result<Vec<Part>, DialectError> {
    block.take("cache_control");
    match kind {
        "text" => {
            let text = text(&mut block)?;
            let extra = block.rest();
            Ok(vec![Part::Text { text, extra }])
        }
        "image" => media::image(&mut block).map(|part| vec![part]),
        "document" => media::document(&mut block),
        "search_result" => search_result(&mut block).map(|part| vec![part]),
        "tool_reference" => {
            let name = block.require("tool_name")?.filled()?;
            Ok(vec![plain(format!("The tool {name} is available."))])
        }
        other => Err(unsupported(other, node)),
    }
}

/// The error for a block that has no neutral form.
pub(super) fn unsupported(kind: &str, node: &Node<'_, '_>) -> DialectError {
    node.fault(format!(
        "content blocks of type '{kind}' are not supported here"
    ))
    .with_code("unsupported_value")
}

/// Reads content that is a text or blocks: of a tool's result, of a document.
pub(super) fn content(node: &Node<'_, '_>) -> Result<Vec<Part>, DialectError> {
    match node.kind() {
        JsonKind::String => Ok(vec![plain(node.string()?.into_owned())]),
        JsonKind::Array => {
            let mut all = Vec::new();
            for element in node.elements()? {
                let mut block = element.object()?;
                let kind = block.tag()?;
                all.extend(parts(&kind, &element, block)?);
            }
            Ok(all)
        }
        _ => Err(node.expected("a string or an array of content blocks")),
    }
}

fn search_result(block: &mut Object<'_, '_>) -> Result<Part, DialectError> {
    let title = block.require("title")?.string()?;
    let source = block.require("source")?.string()?;
    let mut text = format!("{title}\n{source}\n");
    let content = block.require("content")?;
    if content.kind() != JsonKind::Array {
        text.push('\n');
        text.push_str(&content.string()?);
        return Ok(plain(text));
    }
    for element in content.elements()? {
        let mut block = element.object()?;
        let kind = block.tag()?;
        if kind != "text" {
            return Err(unsupported(&kind, &element));
        }
        text.push('\n');
        text.push_str(&self::text(&mut block)?);
    }
    Ok(plain(text))
}

/// A text part without further members.
pub(super) fn plain(text: String) -> Part {
    Part::Text {
        text,
        extra: crate::ir::Fields::new(),
    }
}

/// Parts as content: one bare text is that text, which is what templates know best.
pub(super) fn gathered(mut parts: Vec<Part>) -> Content {
    match parts.as_mut_slice() {
        [] => Content::Text(String::new()),
        [Part::Text { text, extra }] if extra.is_empty() => Content::Text(std::mem::take(text)),
        _ => Content::Parts(parts),
    }
}

/// Content with more parts behind it.
pub(super) fn joined(content: Option<Content>, more: Vec<Part>) -> Content {
    let mut parts = match content {
        Some(Content::Text(text)) => vec![plain(text)],
        Some(Content::Parts(parts)) => parts,
        None => Vec::new(),
    };
    parts.extend(more);
    gathered(parts)
}

//! Images and documents, in the form that OpenAI's chat gives them.

use serde::Serialize;

use super::blocks;
use crate::anthropic::read::{Node, Object};
use crate::dialect::DialectError;
use crate::ir::{Fields, Part};

#[derive(Serialize)]
struct Image<'a> {
    url: &'a str,
}

#[derive(Default, Serialize)]
struct File<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_id: Option<&'a str>,
}

/// Reads an image: `image_url` with a URL or a data URL, or `file` with the id of a file.
pub(super) fn image(block: &mut Object<'_, '_>) -> Result<Part, DialectError> {
    let node = block.require("source")?;
    let mut source = node.object()?;
    match &*source.tag()? {
        "base64" => Ok(picture(&data_url(&mut source)?)),
        "url" => Ok(picture(&source.require("url")?.string()?)),
        "file" => Ok(by_id(&source.require("file_id")?.string()?)),
        other => Err(unknown_source(other, &node)),
    }
}

/// Reads a document: text as text, PDF as a `file`.
pub(super) fn document(block: &mut Object<'_, '_>) -> Result<Vec<Part>, DialectError> {
    let title = block.take("title").map(|node| node.string()).transpose()?;
    let context = block
        .take("context")
        .map(|node| node.string())
        .transpose()?;
    let mut parts: Vec<Part> = [title.as_deref(), context.as_deref()]
        .into_iter()
        .flatten()
        .map(|text| blocks::plain(text.to_owned()))
        .collect();
    let node = block.require("source")?;
    let mut source = node.object()?;
    match &*source.tag()? {
        "text" => parts.push(blocks::plain(
            source.require("data")?.string()?.into_owned(),
        )),
        "content" => parts.extend(blocks::content(&source.require("content")?)?),
        "base64" => parts.push(file(&File {
            filename: Some(title.as_deref().unwrap_or("document.pdf")),
            file_data: Some(&data_url(&mut source)?),
            ..File::default()
        })),
        "url" => parts.push(file(&File {
            file_url: Some(&source.require("url")?.string()?),
            ..File::default()
        })),
        "file" => parts.push(by_id(&source.require("file_id")?.string()?)),
        other => return Err(unknown_source(other, &node)),
    }
    Ok(parts)
}

fn unknown_source(kind: &str, node: &Node<'_, '_>) -> DialectError {
    let problem = format!("sources of type '{kind}' are not supported here");
    node.fault(problem).with_code("unsupported_value")
}

fn data_url(source: &mut Object<'_, '_>) -> Result<String, DialectError> {
    let media = source.require("media_type")?.string()?;
    let data = source.require("data")?.string()?;
    Ok(format!("data:{media};base64,{data}"))
}

fn picture(url: &str) -> Part {
    part("image_url", &Image { url })
}

fn by_id(file_id: &str) -> Part {
    file(&File {
        file_id: Some(file_id),
        ..File::default()
    })
}

fn file(file: &File<'_>) -> Part {
    part("file", file)
}

fn part<T: Serialize>(kind: &str, value: &T) -> Part {
    let mut fields = Fields::new();
    fields.put("type", kind).expect("a string serialises");
    fields.put(kind, value).expect("strings serialise");
    Part::Other(fields)
}

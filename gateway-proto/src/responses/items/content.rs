//! Contents of messages and of tool outputs.

use serde_json::value::RawValue;

use crate::dialect::DialectError;
use crate::ir::{Content, Fields, Part};
use crate::responses::node::{Node, elements, invalid, shown, string};

/// Reads a string or an array of parts. A single text is the same as a string: some templates know no parts.
pub(super) fn content(raw: &RawValue, path: &str) -> Result<Content, DialectError> {
    if !raw.get().starts_with('[') {
        return string(raw, path).map(Content::Text);
    }
    let mut parts = Vec::new();
    elements(raw, path, |path, raw| {
        parts.push(part(Node::read(raw, path)?)?);
        Ok(())
    })?;
    Ok(simplest(parts))
}

/// The texts of an array of parts, one after the other; `None` where there are none.
pub(super) fn texts(raw: &RawValue, path: &str) -> Result<Option<String>, DialectError> {
    let mut joined: Option<String> = None;
    elements(raw, path, |path, raw| {
        let text: Option<String> = Node::read(raw, path)?.take("text")?;
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            joined.get_or_insert_default().push_str(&text);
        }
        Ok(())
    })?;
    Ok(joined)
}

fn simplest(mut parts: Vec<Part>) -> Content {
    match parts.as_mut_slice() {
        [] => Content::Text(String::new()),
        [Part::Text { text, .. }] => Content::Text(std::mem::take(text)),
        _ => Content::Parts(parts),
    }
}

fn part(mut node: Node) -> Result<Part, DialectError> {
    let kind: String = node.require("type")?;
    match kind.as_str() {
        "input_text" | "output_text" | "text" => Ok(text_part(node.require("text")?)),
        "refusal" => Ok(text_part(node.require("refusal")?)),
        "input_image" => image(node),
        "input_file" => file(node),
        "input_audio" => {
            let audio: Box<RawValue> = node.require("input_audio")?;
            Ok(other("input_audio", "input_audio", &audio))
        }
        "input_video" => {
            let mut video = Fields::new();
            put(
                &mut video,
                "url",
                node.require::<String>("video_url")?.as_str(),
            );
            Ok(other("video_url", "video_url", &video))
        }
        kind => {
            let why = format!(
                "'{}' is none of 'input_text', 'input_image', 'input_file', 'input_audio', 'input_video', 'output_text', 'refusal'",
                shown(kind)
            );
            Err(invalid(node.path("type"), why))
        }
    }
}

fn image(mut node: Node) -> Result<Part, DialectError> {
    let Some(url) = node.take::<String>("image_url")? else {
        let why = "an image needs an 'image_url'; files of this service's own are not kept";
        return Err(invalid(node.path("image_url"), why));
    };
    let mut image = Fields::new();
    put(&mut image, "url", &url);
    if let Some(detail) = node.take::<String>("detail")? {
        put(&mut image, "detail", &detail);
    }
    Ok(other("image_url", "image_url", &image))
}

fn file(mut node: Node) -> Result<Part, DialectError> {
    let mut file = Fields::new();
    for key in ["filename", "file_data", "file_url"] {
        if let Some(value) = node.take::<String>(key)? {
            put(&mut file, key, &value);
        }
    }
    if file.raw("file_data").is_none() && file.raw("file_url").is_none() {
        let why =
            "a file needs 'file_data' or 'file_url'; files of this service's own are not kept";
        return Err(invalid(node.path("file_data"), why));
    }
    Ok(other("file", "file", &file))
}

fn text_part(text: String) -> Part {
    Part::Text {
        text,
        extra: Fields::new(),
    }
}

/// A part in the form of chat completions, which is the neutral one.
fn other<T: serde::Serialize + ?Sized>(kind: &str, key: &str, value: &T) -> Part {
    let mut fields = Fields::new();
    put(&mut fields, "type", kind);
    put(&mut fields, key, value);
    Part::Other(fields)
}

fn put<T: serde::Serialize + ?Sized>(fields: &mut Fields, key: &str, value: &T) {
    fields.put(key, value).expect("plain data serialises");
}

//! Schemas and the other forms of an answer.

use super::{CheckError, Limits};
use crate::ir::Format;

pub(super) fn check_format(format: &Format, limits: &Limits) -> Result<(), CheckError> {
    const PATH: &str = "response_format";
    match format {
        Format::Text | Format::JsonObject => Ok(()),
        Format::JsonSchema { schema, .. } => check(
            &format!("{PATH}.json_schema.schema"),
            schema.as_str(),
            limits,
        ),
        Format::StructuralTag(tag) => nested(PATH, tag.as_str(), limits),
        Format::Regex(text) | Format::Grammar(text) if text.is_empty() => {
            let todo = "Send what the answer must look like";
            Err(CheckError::new(PATH, "the pattern is empty", todo))
        }
        Format::Regex(text) | Format::Grammar(text) => size(PATH, text, limits),
        Format::Choice(texts) if texts.is_empty() => {
            let todo = "Send at least one text";
            Err(CheckError::new(
                PATH,
                "there is nothing to choose from",
                todo,
            ))
        }
        Format::Choice(texts) if texts.len() > limits.choice_texts => {
            Err(CheckError::too_many(PATH, texts.len(), limits.choice_texts))
        }
        Format::Choice(texts) => texts.iter().try_for_each(|text| size(PATH, text, limits)),
    }
}

/// Checks a schema given as JSON text.
pub(super) fn check(path: &str, schema: &str, limits: &Limits) -> Result<(), CheckError> {
    if !schema.starts_with('{') && !matches!(schema, "true" | "false") {
        let todo = "Send a JSON schema";
        return Err(CheckError::new(path, "a schema is an object", todo));
    }
    nested(path, schema, limits)
}

fn nested(path: &str, json: &str, limits: &Limits) -> Result<(), CheckError> {
    size(path, json, limits)?;
    let (depth, most) = (depth(json), limits.schema_depth);
    if depth <= most {
        return Ok(());
    }
    let what = format!("it is nested {depth} levels deep and the most is {most}");
    Err(CheckError::new(path, what, "Flatten it").with_code("schema_too_deep"))
}

fn size(path: &str, text: &str, limits: &Limits) -> Result<(), CheckError> {
    let most = limits.schema_bytes;
    if text.len() <= most {
        return Ok(());
    }
    Err(CheckError::too_long(path, text.len(), most))
}

/// How deep the arrays and objects of valid JSON are nested.
pub(super) fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

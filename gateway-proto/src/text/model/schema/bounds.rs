//! What a schema must be like before it is compiled.

use serde_json::{Map, Value};

use super::visit::{REFERENCE, visit};
use super::work;

/// The longest schema, in bytes of JSON.
const MOST_BYTES: usize = 256 << 10;
/// The most references. A compiler follows them one within the other.
const MOST_REFERENCES: usize = 512;
/// The most patterns, each of which may grow to many times its length.
const MOST_PATTERNS: usize = 64;
/// The most parts that apply to one and the same value, each counted as often as it is referred to.
const MOST_APPLIED: usize = 4_096;

/// Why a schema is not taken.
#[derive(Debug, thiserror::Error)]
pub(in crate::text::model) enum SchemaError {
    #[error("it is {bytes} bytes long, over the limit of {MOST_BYTES}")]
    TooLong { bytes: usize },
    #[error("it cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("it has more than {MOST_REFERENCES} references")]
    References,
    #[error("it has more than {MOST_PATTERNS} patterns")]
    Patterns,
    #[error("'{0}' refers out of the schema; only references of the form '#/$defs/name' are taken")]
    Foreign(String),
    #[error("the keyword '{0}' is not taken within a strict schema")]
    Keyword(&'static str),
    #[error("more than {MOST_APPLIED} of its parts apply to one value")]
    Applied,
    #[error("{0}")]
    Compile(String),
}

/// A schema that is taken.
pub(super) struct Bounded {
    pub(super) schema: Value,
    /// How many patterns it has.
    pub(super) patterns: usize,
}

/// Reads a schema and checks that working with it cannot cost much more than its length.
pub(super) fn read(text: &str) -> Result<Bounded, SchemaError> {
    let bytes = text.len();
    if bytes > MOST_BYTES {
        return Err(SchemaError::TooLong { bytes });
    }
    let mut schema: Value = serde_json::from_str(text)?;
    let (mut references, mut patterns, mut is_top) = (0, 0, true);
    visit(&mut schema, &mut |part| {
        references += usize::from(part.contains_key(REFERENCE));
        patterns += patterns_of(part);
        check(part, std::mem::take(&mut is_top))
    })?;
    if references > MOST_REFERENCES {
        return Err(SchemaError::References);
    }
    if patterns > MOST_PATTERNS {
        return Err(SchemaError::Patterns);
    }
    if !work::fits(&schema, &Value::Null, MOST_APPLIED) {
        return Err(SchemaError::Applied);
    }
    Ok(Bounded { schema, patterns })
}

fn patterns_of(part: &Map<String, Value>) -> usize {
    let named = part.get("patternProperties").and_then(Value::as_object);
    usize::from(part.contains_key("pattern")) + named.map_or(0, Map::len)
}

/// One part: references must be paths from the top, so that what they cost can be counted.
fn check(part: &Map<String, Value>, is_top: bool) -> Result<(), SchemaError> {
    for keyword in ["$dynamicRef", "$recursiveRef"] {
        if part.get(keyword).is_some_and(Value::is_string) {
            return Err(SchemaError::Keyword(keyword));
        }
    }
    // A part with an identity of its own changes what the paths within it start from.
    for keyword in ["$id", "id"] {
        if !is_top && part.get(keyword).is_some_and(Value::is_string) {
            return Err(SchemaError::Keyword(keyword));
        }
    }
    match part.get(REFERENCE) {
        Some(Value::String(to)) if to != "#" && !to.starts_with("#/") => {
            Err(SchemaError::Foreign(to.clone()))
        }
        _ => Ok(()),
    }
}

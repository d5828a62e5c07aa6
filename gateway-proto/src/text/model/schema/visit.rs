//! Every part of a schema that is a schema itself.

use serde_json::{Map, Value};

/// The keyword that refers to another part.
pub(in crate::text::model) const REFERENCE: &str = "$ref";

/// Shows `see` each object within `schema` that is read as a schema, the outermost first. Values that are data, as those
/// of `enum`, are passed over; unknown keywords are not, as references may point into them.
///
/// # Errors
/// The first of `see`.
pub(in crate::text::model) fn visit<E>(
    schema: &mut Value,
    see: &mut impl FnMut(&mut Map<String, Value>) -> Result<(), E>,
) -> Result<(), E> {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().try_for_each(|inner| visit(inner, see)),
        Value::Object(schema) => {
            see(schema)?;
            schema
                .iter_mut()
                .try_for_each(|(keyword, inner)| visit_keyword(keyword, inner, see))
        }
        _ => Ok(()),
    }
}

fn visit_keyword<E>(
    keyword: &str,
    inner: &mut Value,
    see: &mut impl FnMut(&mut Map<String, Value>) -> Result<(), E>,
) -> Result<(), E> {
    match (keyword, inner) {
        ("enum" | "const" | "default" | "example" | "examples", _) => Ok(()),
        (
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas"
            | "dependencies",
            Value::Object(named),
        ) => named.values_mut().try_for_each(|inner| visit(inner, see)),
        (_, inner) => visit(inner, see),
    }
}

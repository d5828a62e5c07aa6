//! How much work it is to hold a value to a schema.

use serde_json::{Map, Value};

use super::visit::REFERENCE;

/// The deepest that parts of a schema apply within each other.
const DEPTH: u32 = 400;

/// Whether `value` can be held to `schema` in at most `steps` steps: as many as parts of the schema meet parts of the
/// value. It walks as a validator without a memory does and stops at the limit, so it takes no longer itself.
pub(super) fn fits(schema: &Value, value: &Value, steps: usize) -> bool {
    let mut walk = Walk {
        root: schema,
        left: steps,
    };
    walk.apply(schema, value, DEPTH).is_some()
}

struct Walk<'a> {
    root: &'a Value,
    left: usize,
}

impl<'a> Walk<'a> {
    fn apply(&mut self, schema: &'a Value, value: &Value, depth: u32) -> Option<()> {
        let Value::Object(schema) = schema else {
            return Some(());
        };
        self.left = self.left.checked_sub(1)?;
        let depth = depth.checked_sub(1)?;
        for _ in 0..rounds(schema, value) {
            for (keyword, inner) in schema {
                self.in_place(keyword, inner, value, depth)?;
            }
        }
        for (keyword, inner) in schema {
            self.below(keyword, inner, value, depth)?;
        }
        Some(())
    }

    /// What applies to `value` itself.
    fn in_place(
        &mut self,
        keyword: &str,
        inner: &'a Value,
        value: &Value,
        depth: u32,
    ) -> Option<()> {
        match (keyword, inner) {
            (REFERENCE, Value::String(to)) => {
                let target = to
                    .strip_prefix('#')
                    .and_then(|path| pointed(self.root, path));
                target.map_or(Some(()), |target| self.apply(target, value, depth))
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => schemas
                .iter()
                .try_for_each(|one| self.apply(one, value, depth)),
            ("dependentSchemas" | "dependencies", Value::Object(schemas)) => schemas
                .values()
                .try_for_each(|one| self.apply(one, value, depth)),
            ("not" | "if" | "then" | "else", inner) => self.apply(inner, value, depth),
            ("enum", Value::Array(values)) => {
                self.left = self.left.checked_sub(values.len())?;
                Some(())
            }
            _ => Some(()),
        }
    }

    /// What applies to the parts of `value`.
    fn below(&mut self, keyword: &str, inner: &'a Value, value: &Value, depth: u32) -> Option<()> {
        match (keyword, inner, value) {
            ("properties", Value::Object(named), Value::Object(members)) => {
                let mut known = named
                    .iter()
                    .filter_map(|(key, one)| Some((one, members.get(key)?)));
                known.try_for_each(|(one, member)| self.apply(one, member, depth))
            }
            ("patternProperties", Value::Object(patterns), _) => {
                let mut all = patterns.values();
                all.try_for_each(|one| self.each(one, value, depth))
            }
            ("items" | "prefixItems", Value::Array(schemas), Value::Array(elements)) => {
                let mut pairs = schemas.iter().zip(elements);
                pairs.try_for_each(|(one, element)| self.apply(one, element, depth))
            }
            (
                "items"
                | "additionalItems"
                | "unevaluatedItems"
                | "contains"
                | "additionalProperties"
                | "unevaluatedProperties"
                | "propertyNames",
                inner,
                _,
            ) => self.each(inner, value, depth),
            _ => Some(()),
        }
    }

    fn each(&mut self, schema: &'a Value, value: &Value, depth: u32) -> Option<()> {
        match value {
            Value::Array(elements) => elements
                .iter()
                .try_for_each(|one| self.apply(schema, one, depth)),
            Value::Object(members) => members
                .values()
                .try_for_each(|one| self.apply(schema, one, depth)),
            _ => Some(()),
        }
    }
}

/// How often the parts that apply in place are gone through: once, and again for each part of the value that may be left
/// unevaluated by them.
fn rounds(schema: &Map<String, Value>, value: &Value) -> usize {
    let looks_again =
        schema.contains_key("unevaluatedProperties") || schema.contains_key("unevaluatedItems");
    let parts = match value {
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    if looks_again { 1 + parts } else { 1 }
}

/// The target of a reference's path, which is written as part of an address.
fn pointed<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    if !path.contains('%') {
        return root.pointer(path);
    }
    root.pointer(&unescaped(path)?)
}

/// `%` and two hexadecimal digits stand for a byte.
fn unescaped(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut parts = path.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

//! Values that fit a JSON schema, for the schemas that tools and structured answers use.

use serde_json::{Map, Value, json};

use crate::text::{Writer, decode};

/// How deep schemas are followed.
const MOST_DEPTH: u32 = 6;

/// The most items or letters that are made up because a schema wants so many.
const MOST_LENGTH: usize = 64;

/// A value that fits a schema and follows from what `writer` has read.
pub(super) fn invent(schema: &Value, writer: &mut Writer) -> Value {
    let mut inventor = Inventor {
        root: schema,
        writer,
    };
    inventor.value(schema, 0)
}

struct Inventor<'a> {
    /// Where references start.
    root: &'a Value,
    writer: &'a mut Writer,
}

impl<'a> Inventor<'a> {
    fn value(&mut self, schema: &'a Value, depth: u32) -> Value {
        if let Some(options) = list(schema, "enum") {
            return options[self.pick(options.len())].clone();
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(schema) = self.elsewhere(schema).filter(|_| depth < MOST_DEPTH) {
            return self.value(schema, depth + 1);
        }
        match kind(schema) {
            Some("string") => self.string(schema),
            Some("integer") => within(schema, json!(self.pick(100))),
            #[expect(clippy::cast_precision_loss, reason = "a number below 1,000")]
            Some("number") => within(schema, json!(self.pick(1_000) as f64 / 10.0)),
            Some("boolean") => json!(self.pick(2) == 1),
            Some("null") => Value::Null,
            Some("array") if depth < MOST_DEPTH => self.array(schema, depth),
            Some("array") => json!([]),
            _ if depth < MOST_DEPTH => self.object(schema, depth),
            _ => json!({}),
        }
    }

    /// The schema that stands for this one: one referred to, or the first of several.
    fn elsewhere(&self, schema: &'a Value) -> Option<&'a Value> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.root.pointer(reference.strip_prefix('#')?);
        }
        let several = ["anyOf", "oneOf", "allOf"];
        several.iter().find_map(|name| list(schema, name)?.first())
    }

    fn string(&mut self, schema: &Value) -> Value {
        let mut text = decode(&[self.writer.write(false)]).trim().to_owned();
        let least = count(schema, "minLength").unwrap_or(0).min(MOST_LENGTH);
        while text.chars().count() < least {
            text.push('a');
        }
        if let Some(most) = count(schema, "maxLength") {
            text = text.chars().take(most).collect();
        }
        text.into()
    }

    fn array(&mut self, schema: &'a Value, depth: u32) -> Value {
        let Some(items) = schema.get("items") else {
            return json!([]);
        };
        let least = count(schema, "minItems").unwrap_or(1).max(1);
        let most = count(schema, "maxItems").unwrap_or(MOST_LENGTH);
        let items = (0..least.min(most).min(MOST_LENGTH)).map(|_| self.value(items, depth + 1));
        Value::Array(items.collect())
    }

    /// An object with all properties that its schema requires, or with all where it names none as required.
    fn object(&mut self, schema: &'a Value, depth: u32) -> Value {
        let required = schema.get("required").and_then(Value::as_array);
        let is_wanted =
            |name: &String| required.is_none_or(|names| names.iter().any(|other| other == name));
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut object = Map::new();
        for (name, schema) in properties.into_iter().flatten() {
            if is_wanted(name) {
                object.insert(name.clone(), self.value(schema, depth + 1));
            }
        }
        Value::Object(object)
    }

    fn pick(&mut self, count: usize) -> usize {
        let draw = self.writer.draw(count as u64);
        self.writer.write(false);
        usize::try_from(draw % count as u64).unwrap_or(0)
    }
}

/// The type; of several, the first.
fn kind(schema: &Value) -> Option<&str> {
    let kind = schema.get("type")?;
    kind.as_str().or_else(|| kind.get(0)?.as_str())
}

fn list<'a>(schema: &'a Value, name: &str) -> Option<&'a Vec<Value>> {
    let list = schema.get(name)?.as_array()?;
    (!list.is_empty()).then_some(list)
}

fn count(schema: &Value, name: &str) -> Option<usize> {
    usize::try_from(schema.get(name)?.as_u64()?).ok()
}

/// The number, or the bound that it passes.
fn within(schema: &Value, number: Value) -> Value {
    let is_past = |name, passes: fn(f64, f64) -> bool| {
        let bound: &Value = schema.get(name)?;
        passes(number.as_f64()?, bound.as_f64()?).then(|| bound.clone())
    };
    let low = is_past("minimum", |number, least| number < least);
    let high = is_past("maximum", |number, most| number > most);
    low.or(high).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_without_end_is_followed_only_so_deep() {
        let mut schema = json!({"type": "string"});
        for _ in 0..50 {
            schema = json!({"type": "array", "items": schema});
        }
        let value = invent(&schema, &mut Writer::new(0));
        assert!(value.to_string().len() < 40);
        let itself = json!({"$ref": "#"});
        assert_eq!(invent(&itself, &mut Writer::new(0)), json!({}));
    }

    #[test]
    fn references_choices_and_bounds_are_kept() {
        let schema = json!({
            "$defs": {"age": {"type": "integer", "minimum": 150, "maximum": 160}},
            "type": "object",
            "properties": {
                "age": {"$ref": "#/$defs/age"},
                "kind": {"anyOf": [{"const": "call"}, {"type": "null"}]},
                "list": {"type": "array", "minItems": 3, "items": {"type": ["boolean", "null"]}},
                "code": {"type": "string", "minLength": 40},
            },
        });
        let value = invent(&schema, &mut Writer::new(0));
        assert_eq!(
            (&value["age"], &value["kind"]),
            (&json!(150), &json!("call"))
        );
        let list = value["list"].as_array().expect("a list");
        assert!(list.len() == 3 && list.iter().all(Value::is_boolean));
        assert_eq!(value["code"].as_str().map(str::len), Some(40));
    }
}

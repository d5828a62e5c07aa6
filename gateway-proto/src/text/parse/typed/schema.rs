//! What a schema says of a parameter's type.

use serde_json::Value;

use super::super::ToolSpec;

/// How far references and alternatives are followed.
const DEEPEST: usize = 8;

/// The JSON types that a value may have; none where nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Types(u8);

impl Types {
    /// Nothing is known.
    pub(in super::super) const UNKNOWN: Self = Self(0);
    /// `null`.
    pub(in super::super) const NULL: Self = Self(1);
    /// `true` and `false`.
    pub(in super::super) const BOOLEAN: Self = Self(2);
    /// Numbers, integers among them.
    pub(in super::super) const NUMBER: Self = Self(4);
    /// Strings.
    pub(in super::super) const STRING: Self = Self(8);
    /// Arrays.
    pub(in super::super) const ARRAY: Self = Self(16);
    /// Objects.
    pub(in super::super) const OBJECT: Self = Self(32);
    /// Everything but strings.
    pub(in super::super) const NO_STRING: Self = Self(55);
    /// Whatever JSON has.
    pub(in super::super) const ANY: Self = Self(63);

    /// Whether all of `other` are among these.
    pub(in super::super) fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those.
    pub(in super::super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn named(name: &str) -> Self {
        match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "number" | "integer" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => Self::UNKNOWN,
        }
    }

    fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }
}

/// What the tool of this name says of its parameter `name`.
pub(in super::super) fn of_parameter(tools: &[ToolSpec], tool: &str, name: &str) -> Types {
    let Some(spec) = tools.iter().find(|spec| spec.name == tool) else {
        return Types::UNKNOWN;
    };
    let root = &spec.parameters;
    let schema = root.get("properties").and_then(|all| all.get(name));
    schema.map_or(Types::UNKNOWN, |schema| of_schema(schema, root, DEEPEST))
}

fn of_schema(schema: &Value, root: &Value, depth: usize) -> Types {
    let Some(deeper) = depth.checked_sub(1) else {
        return Types::UNKNOWN;
    };
    let mut types = match schema.get("type") {
        Some(Value::String(name)) => Types::named(name),
        Some(Value::Array(names)) => union(names, |name| Types::named(name.as_str().unwrap_or(""))),
        _ => untyped(schema, root, deeper),
    };
    if schema.get("nullable") == Some(&Value::Bool(true)) && types != Types::UNKNOWN {
        types = types.or(Types::NULL);
    }
    types
}

/// The types of a schema that names none.
fn untyped(schema: &Value, root: &Value, deeper: usize) -> Types {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let found = target.strip_prefix('#').and_then(|path| root.pointer(path));
        return found.map_or(Types::UNKNOWN, |found| of_schema(found, root, deeper));
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(Value::Array(options)) = schema.get(key) {
            return union(options, |option| of_schema(option, root, deeper));
        }
    }
    match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => union(values, Types::of_value),
        (_, Some(value)) => Types::of_value(value),
        _ if schema.get("properties").is_some() => Types::OBJECT,
        _ if schema.get("items").is_some() => Types::ARRAY,
        _ => Types::UNKNOWN,
    }
}

fn union(options: &[Value], types: impl Fn(&Value) -> Types) -> Types {
    options
        .iter()
        .fold(Types::UNKNOWN, |all, option| all.or(types(option)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn types(schema: &Value) -> Types {
        let parameters = json!({
            "properties": {"p": schema},
            "$defs": {"Unit": {"enum": ["c", "f"]}, "Loop": {"$ref": "#/$defs/Loop"}},
        });
        let tools = [ToolSpec {
            name: "t".into(),
            parameters,
        }];
        of_parameter(&tools, "t", "p")
    }

    #[test]
    fn types_are_found_wherever_schemas_name_them() {
        let cases = [
            (json!({"type": "integer"}), Types::NUMBER),
            (
                json!({"type": ["string", "null"]}),
                Types::STRING.or(Types::NULL),
            ),
            (
                json!({"type": "string", "nullable": true}),
                Types::STRING.or(Types::NULL),
            ),
            (
                json!({"anyOf": [{"type": "array"}, {"type": "null"}]}),
                Types::ARRAY.or(Types::NULL),
            ),
            (json!({"allOf": [{"$ref": "#/$defs/Unit"}]}), Types::STRING),
            (json!({"const": 1}), Types::NUMBER),
            (json!({"properties": {}}), Types::OBJECT),
            (json!({"items": {}}), Types::ARRAY),
        ];
        for (schema, expected) in cases {
            assert_eq!(types(&schema), expected, "{schema}");
        }
    }

    #[test]
    fn odd_schemas_say_nothing() {
        for schema in [
            json!(null),
            json!(true),
            json!({}),
            json!({"type": 1}),
            json!({"type": "text"}),
            json!({"$ref": "#/$defs/Loop"}),
            json!({"$ref": "x"}),
        ] {
            assert_eq!(types(&schema), Types::UNKNOWN, "{schema}");
        }
        assert_eq!(of_parameter(&[], "t", "p"), Types::UNKNOWN);
    }
}

//! What a schema says of a parameter's type.

use serde_json::Value;

use super::super::ToolSpec;

/// How far references and alternatives are followed.
const DEEPEST: usize = 8;

/// How many schemas are looked at for one parameter.
const MOST_SCHEMAS: usize = 256;

/// So many values of a list cost as much as a schema.
const VALUES_PER_SCHEMA: usize = 16;

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
    schema.map_or(Types::UNKNOWN, |schema| Walk::new(root).types(schema))
}

/// A walk through one parameter's schema. What it costs is bounded, as references can lead to the same places over and
/// over again.
struct Walk<'a> {
    root: &'a Value,
    /// Schemas that may still be visited; `None` once that were too many.
    left: Option<usize>,
}

impl<'a> Walk<'a> {
    fn new(root: &'a Value) -> Self {
        Self {
            root,
            left: Some(MOST_SCHEMAS),
        }
    }

    /// What is known of `schema`: nothing where only a part of it could be looked at.
    fn types(mut self, schema: &Value) -> Types {
        let types = self.of_schema(schema, DEEPEST);
        self.left.map_or(Types::UNKNOWN, |_| types)
    }

    /// Counts so many schemas as visited; gives whether that may be.
    fn spend(&mut self, schemas: usize) -> bool {
        self.left = self.left.and_then(|left| left.checked_sub(schemas));
        self.left.is_some()
    }

    fn of_schema(&mut self, schema: &Value, depth: usize) -> Types {
        let Some(deeper) = depth.checked_sub(1).filter(|_| self.spend(1)) else {
            return Types::UNKNOWN;
        };
        let mut types = match schema.get("type") {
            Some(Value::String(name)) => Types::named(name),
            Some(Value::Array(names)) => {
                self.union(names, |name| Types::named(name.as_str().unwrap_or("")))
            }
            _ => self.untyped(schema, deeper),
        };
        if schema.get("nullable") == Some(&Value::Bool(true)) && types != Types::UNKNOWN {
            types = types.or(Types::NULL);
        }
        types
    }

    /// The types of a schema that names none.
    fn untyped(&mut self, schema: &Value, deeper: usize) -> Types {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let path = target.strip_prefix('#');
            let found = path.and_then(|path| self.root.pointer(path));
            return found.map_or(Types::UNKNOWN, |found| self.of_schema(found, deeper));
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(options)) = schema.get(key) {
                return self.alternatives(options, deeper);
            }
        }
        match (schema.get("enum"), schema.get("const")) {
            (Some(Value::Array(values)), _) => self.union(values, Types::of_value),
            (_, Some(value)) => Types::of_value(value),
            _ if schema.get("properties").is_some() => Types::OBJECT,
            _ if schema.get("items").is_some() => Types::ARRAY,
            _ => Types::UNKNOWN,
        }
    }

    fn alternatives(&mut self, options: &[Value], deeper: usize) -> Types {
        let mut types = Types::UNKNOWN;
        for option in options {
            types = types.or(self.of_schema(option, deeper));
            if self.left.is_none() {
                break;
            }
        }
        types
    }

    /// The types of all values of a list, which costs as much as schemas where it is long.
    fn union(&mut self, values: &[Value], types: impl Fn(&Value) -> Types) -> Types {
        if !self.spend(values.len() / VALUES_PER_SCHEMA) {
            return Types::UNKNOWN;
        }
        values
            .iter()
            .fold(Types::UNKNOWN, |all, value| all.or(types(value)))
    }
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

    /// Takes years where only the depth is bounded.
    #[test]
    fn a_wide_loop_of_references_is_given_up_and_a_wide_schema_is_not() {
        let wide = |count, option: Value| json!({"anyOf": vec![option; count]});
        let again = wide(1_000, json!({"$ref": "#/properties/p"}));
        assert_eq!(types(&again), Types::UNKNOWN);
        let partly = wide(MOST_SCHEMAS, json!({"type": "string"}));
        assert_eq!(types(&partly), Types::UNKNOWN, "some were not looked at");
        let all = wide(MOST_SCHEMAS - 1, json!({"type": "string"}));
        assert_eq!(types(&all), Types::STRING);
        let most = (MOST_SCHEMAS - 1) * VALUES_PER_SCHEMA;
        assert_eq!(types(&json!({"enum": vec![1; most]})), Types::NUMBER);
        let many = json!({"enum": vec![1; most + VALUES_PER_SCHEMA]});
        assert_eq!(types(&many), Types::UNKNOWN);
    }
}

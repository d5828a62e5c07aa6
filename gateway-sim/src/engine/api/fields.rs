//! Reading a JSON object as vLLM's validator does, error texts included.

use serde_json::{Map, Value};

use crate::engine::error::ApiError;

/// A JSON object and where in the body it stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Fields<'a> {
    object: &'a Map<String, Value>,
    place: &'a str,
}

impl<'a> Fields<'a> {
    /// The body's own fields.
    pub(super) fn of_body(body: &'a Value) -> Result<Self, ApiError> {
        Self::new(body, "")
    }

    fn new(value: &'a Value, place: &'a str) -> Result<Self, ApiError> {
        match value {
            Value::Object(object) => Ok(Self { object, place }),
            other => Err(wrong(
                "dict_type",
                place,
                "Input should be a valid dictionary",
                other,
            )),
        }
    }

    /// The object again, as JSON.
    pub(super) fn to_json(self) -> Vec<u8> {
        serde_json::to_vec(self.object).expect("JSON serialises")
    }

    /// The same as a value.
    pub(super) fn to_value(self) -> Value {
        Value::Object(self.object.clone())
    }

    /// A field that is there and not null.
    pub(in crate::engine) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// A field that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&'a Value, ApiError> {
        self.get(name).ok_or_else(|| {
            let input = format!("'<dict of {} items>'", self.object.len());
            ApiError::validation("missing", &self.path(name), "Field required", &input)
        })
    }

    /// A nested object; empty where the field is absent.
    pub(super) fn nested(&self, name: &'static str) -> Result<Option<Fields<'a>>, ApiError> {
        self.get(name)
            .map(|value| Fields::new(value, name))
            .transpose()
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value {
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Ok(Some(integer)),
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a whole number of few digits"
                )]
                (None, Some(float)) if float.fract() == 0.0 && float.abs() < 1e15 => {
                    Ok(Some(float as i64))
                }
                _ => Err(self.wrong(
                    "int_from_float",
                    name,
                    "Input should be a valid integer",
                    value,
                )),
            },
            Value::String(_) => {
                let what = "Input should be a valid integer, unable to parse string as an integer";
                Err(self.wrong("int_parsing", name, what, value))
            }
            _ => Err(self.wrong("int_type", name, "Input should be a valid integer", value)),
        }
    }

    pub(super) fn float(&self, name: &str) -> Result<Option<f64>, ApiError> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.as_f64() {
            Some(float) => Ok(Some(float)),
            None => Err(self.wrong("float_type", name, "Input should be a valid number", value)),
        }
    }

    pub(super) fn boolean(&self, name: &str) -> Result<bool, ApiError> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(value) => {
                Err(self.wrong("bool_type", name, "Input should be a valid boolean", value))
            }
        }
    }

    pub(super) fn string(&self, name: &str) -> Result<Option<&'a str>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value) => {
                Err(self.wrong("string_type", name, "Input should be a valid string", value))
            }
        }
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&'a [Value]>, ApiError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(value) => {
                Err(self.wrong("list_type", name, "Input should be a valid list", value))
            }
        }
    }

    /// One string or a list of strings.
    pub(super) fn strings(&self, name: &str) -> Result<Vec<String>, ApiError> {
        if let Some(Value::String(one)) = self.get(name) {
            return Ok(vec![one.clone()]);
        }
        let list = self.list(name)?.unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        list.iter()
            .map(|value| {
                text(value).ok_or_else(|| {
                    self.wrong("string_type", name, "Input should be a valid string", value)
                })
            })
            .collect()
    }

    /// The refusal of a field's value.
    pub(super) fn wrong(&self, kind: &str, name: &str, what: &str, value: &Value) -> ApiError {
        wrong(kind, &self.path(name), what, value)
    }

    fn path(&self, name: &str) -> String {
        if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        }
    }
}

fn wrong(kind: &str, place: &str, what: &str, value: &Value) -> ApiError {
    let input = match value {
        Value::String(text) => format!("'{}'", text.chars().take(80).collect::<String>()),
        Value::Array(list) => format!("'<list of {} items>'", list.len()),
        Value::Object(object) => format!("'<dict of {} items>'", object.len()),
        other => other.to_string(),
    };
    ApiError::validation(kind, place, what, &input)
}

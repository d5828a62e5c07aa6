//! Objects read member by member, with the path for errors.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::dialect::DialectError;
use crate::elements::{Stopped, each};
use crate::ir::Fields;

/// An object being taken apart.
pub(super) struct Node {
    pub(super) fields: Fields,
    path: String,
}

impl Node {
    /// The body of a message.
    pub(super) fn body(body: &[u8]) -> Result<Self, DialectError> {
        let fields = serde_json::from_slice(body).map_err(|error| {
            DialectError::body(format!("The body is not a JSON object: {error}."))
                .with_code("invalid_json")
        })?;
        Ok(Self {
            fields,
            path: String::new(),
        })
    }

    /// The object at `path`.
    pub(super) fn read(raw: &RawValue, path: String) -> Result<Self, DialectError> {
        match serde_json::from_str(raw.get()) {
            Ok(fields) => Ok(Self { fields, path }),
            Err(error) => Err(wrong_type(path, &error)),
        }
    }

    /// The full path of a member.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The path of the object itself.
    pub(super) fn own_path(&self) -> &str {
        &self.path
    }

    /// Takes a member; absent and `null` are the same.
    pub(super) fn take<T: DeserializeOwned>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, DialectError> {
        let Some(raw) = self.fields.take_raw(key) else {
            return Ok(None);
        };
        serde_json::from_str(raw.get()).map_err(|error| wrong_type(self.path(key), &error))
    }

    /// Takes a member that must be there.
    pub(super) fn require<T: DeserializeOwned>(&mut self, key: &str) -> Result<T, DialectError> {
        self.take(key)?.ok_or_else(|| missing(self.path(key)))
    }

    /// Takes a string that must be there and say something.
    pub(super) fn require_name(&mut self, key: &str) -> Result<String, DialectError> {
        let name: String = self.require(key)?;
        if name.is_empty() {
            return Err(invalid(self.path(key), "it must not be empty"));
        }
        Ok(name)
    }

    /// Takes a member as the JSON it came as; `null` counts as absent.
    pub(super) fn take_raw(&mut self, key: &str) -> Option<Box<RawValue>> {
        let raw = self.fields.take_raw(key)?;
        (raw.get() != "null").then_some(raw)
    }

    /// Takes a member that is an object.
    pub(super) fn take_node(&mut self, key: &str) -> Result<Option<Self>, DialectError> {
        match self.take_raw(key) {
            Some(raw) => Self::read(&raw, self.path(key)).map(Some),
            None => Ok(None),
        }
    }

    /// Takes a number that must lie in `range`.
    pub(super) fn take_within(
        &mut self,
        key: &str,
        range: std::ops::RangeInclusive<f64>,
    ) -> Result<Option<f64>, DialectError> {
        let number: Option<f64> = self.take(key)?;
        match number {
            Some(number) if !range.contains(&number) => Err(invalid(
                self.path(key),
                format!("it must lie in {} to {}", range.start(), range.end()),
            )),
            number => Ok(number),
        }
    }

    /// Takes a whole number that must not be 0.
    pub(super) fn take_positive(&mut self, key: &str) -> Result<Option<u64>, DialectError> {
        match self.take(key)? {
            Some(0) => Err(invalid(self.path(key), "it must be at least 1")),
            number => Ok(number),
        }
    }
}

/// Hands the elements of the array `raw` to `read`, each with its path, up to the first error.
pub(super) fn elements<'r>(
    raw: &'r RawValue,
    path: &str,
    mut read: impl FnMut(String, &'r RawValue) -> Result<(), DialectError>,
) -> Result<(), DialectError> {
    let end = each(raw, |at, element| read(format!("{path}[{at}]"), element));
    end.map_err(|stopped| match stopped {
        Stopped::Refused(refused) => refused,
        Stopped::Json(error) => wrong_type(path.to_owned(), &error),
    })
}

/// A string value, at `path`.
pub(super) fn string(raw: &RawValue, path: &str) -> Result<String, DialectError> {
    serde_json::from_str(raw.get()).map_err(|error| wrong_type(path.to_owned(), &error))
}

/// The member at `path` is of another type than its API says.
pub(super) fn wrong_type(path: String, error: &serde_json::Error) -> DialectError {
    let told = error.to_string();
    let told = told.split(" at line ").next().unwrap_or_default();
    let told = told.strip_prefix("invalid type: ").unwrap_or(told);
    let message = format!("Invalid type for '{path}': {told}.");
    DialectError::at(path, message).with_code("invalid_type")
}

/// A required member is absent.
pub(super) fn missing(path: String) -> DialectError {
    let message = format!("Missing required parameter: '{path}'.");
    DialectError::at(path, message).with_code("missing_required_parameter")
}

/// The member at `path` has a value that cannot be; `why` is half a sentence.
pub(super) fn invalid(path: String, why: impl std::fmt::Display) -> DialectError {
    let message = format!("Invalid value for '{path}': {why}.");
    DialectError::at(path, message).with_code("invalid_value")
}

/// `word` for an error message: at most 64 characters of it.
pub(super) fn shown(word: &str) -> String {
    word.chars().take(64).collect()
}

//! A JSON value kept as the text it came in.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A JSON value that is passed on and not interpreted; equal where the text is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The JSON of `value`.
    ///
    /// # Errors
    /// The serializer's error for a value that is no JSON, as a map with keys other than strings.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Self> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The value as a tree.
    ///
    /// # Errors
    /// Where it is nested deeper than 128 levels, or has a number or text that no tree holds, as half a surrogate pair.
    pub fn to_value(&self) -> serde_json::Result<serde_json::Value> {
        serde_json::from_str(self.as_str())
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        Self(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_deep_for_a_tree_is_an_error_and_stays_as_text() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let json: Json = serde_json::from_str(&deep).expect("raw JSON of any depth");
        assert!(json.to_value().is_err());
        assert_eq!(json.as_str(), deep);
    }
}

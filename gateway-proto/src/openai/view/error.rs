//! What can be wrong with a request body, and how it is told.

use std::fmt;

use crate::error::ApiError;

/// The type of a JSON value, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// Any number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl fmt::Display for JsonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// Why a body was refused. Offsets count bytes from its start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not UTF-8.
    #[error("The request body is not valid UTF-8 at byte {offset}.")]
    Utf8 {
        /// The first bad byte.
        offset: usize,
    },
    /// Not JSON.
    #[error("The request body is not valid JSON: expected {expected} at byte {offset}.")]
    Syntax {
        /// Where.
        offset: usize,
        /// What the grammar asks for there.
        expected: &'static str,
    },
    /// The body ends within a value.
    #[error("The request body is not valid JSON: it ends too early, at byte {offset}.")]
    Truncated {
        /// The length of the body.
        offset: usize,
    },
    /// Something follows the object.
    #[error("The request body has trailing characters after the JSON object, at byte {offset}.")]
    Trailing {
        /// Where they begin.
        offset: usize,
    },
    /// Nested too deeply.
    #[error("The request body is nested deeper than {limit} levels, at byte {offset}.")]
    TooDeep {
        /// Where the limit was passed.
        offset: usize,
        /// The limit.
        limit: usize,
    },
    /// A key that matters occurs twice: readers would disagree on which counts.
    #[error("The field '{key}' occurs more than once.")]
    Duplicate {
        /// The key.
        key: &'static str,
    },
    /// A field that only the router sets.
    #[error("The field '{key}' is set by the router alone. Leave it out.")]
    Reserved {
        /// The key.
        key: &'static str,
    },
    /// A required field is absent.
    #[error("Missing required parameter: '{path}'.")]
    Missing {
        /// The field, as `messages[2].role`.
        path: String,
    },
    /// A field that must not be empty is.
    #[error("Invalid '{path}': it must not be empty.")]
    Empty {
        /// The field.
        path: String,
    },
    /// A field has the wrong type.
    #[error("Invalid type for '{path}': expected {expected}, but got {found} instead.")]
    Type {
        /// The field.
        path: String,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: JsonKind,
    },
    /// A number or a length out of range.
    #[error("Invalid '{path}': expected {expected}.")]
    Range {
        /// The field.
        path: String,
        /// The range in words.
        expected: String,
    },
}

impl RequestError {
    /// True when the bytes are not one JSON object in UTF-8, as against an object with wrong fields.
    #[must_use]
    pub fn is_syntax(&self) -> bool {
        matches!(
            self,
            Self::Utf8 { .. }
                | Self::Syntax { .. }
                | Self::Truncated { .. }
                | Self::Trailing { .. }
                | Self::TooDeep { .. }
        )
    }

    /// The field at fault.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::Duplicate { key } | Self::Reserved { key } => Some(key),
            Self::Missing { path }
            | Self::Empty { path }
            | Self::Type { path, .. }
            | Self::Range { path, .. } => Some(path),
            _ => None,
        }
    }

    /// OpenAI's code for this kind of mistake.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "duplicate_parameter",
            Self::Reserved { .. } => "unsupported_parameter",
            Self::Missing { .. } => "missing_required_parameter",
            Self::Empty { .. } | Self::Range { .. } => "invalid_value",
            Self::Type { .. } => "invalid_type",
            _ => "invalid_json",
        }
    }
}

impl From<&RequestError> for ApiError {
    fn from(error: &RequestError) -> Self {
        let api = Self::invalid_request(error.to_string()).with_code(error.code());
        match error.param() {
            Some(path) => api.with_param(path),
            None => api,
        }
    }
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        Self::from(&error)
    }
}

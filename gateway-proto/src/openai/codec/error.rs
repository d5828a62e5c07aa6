//! Why a body could not be translated.

use crate::error::ApiError;

/// A body that is not what its API says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// Not JSON, or not an object of the right form.
    #[error("not a valid body: {0}")]
    Json(#[from] serde_json::Error),
    /// A member of the wrong type.
    #[error("invalid '{path}': {source}")]
    Field {
        /// The member, as `messages[2].role`.
        path: String,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A required member is absent.
    #[error("missing '{path}'")]
    Missing {
        /// The member.
        path: String,
    },
    /// A member with a value that has no meaning.
    #[error("invalid '{path}': expected {expected}")]
    Invalid {
        /// The member.
        path: String,
        /// What it should be.
        expected: String,
    },
}

impl CodecError {
    /// The member at fault.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Json(_) => None,
            Self::Field { path, .. } | Self::Missing { path } | Self::Invalid { path, .. } => {
                Some(path)
            }
        }
    }

    /// OpenAI's code for this kind of mistake.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "invalid_json",
            Self::Field { .. } => "invalid_type",
            Self::Missing { .. } => "missing_required_parameter",
            Self::Invalid { .. } => "invalid_value",
        }
    }

    pub(in crate::openai) fn invalid(path: String, expected: impl Into<String>) -> Self {
        Self::Invalid {
            path,
            expected: expected.into(),
        }
    }
}

impl From<CodecError> for ApiError {
    /// A 400 that names the member.
    fn from(error: CodecError) -> Self {
        let said = sentence(&error.to_string());
        let api = Self::invalid_request(said).with_code(error.code());
        match error.path() {
            Some(path) => api.with_param(path),
            None => api,
        }
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

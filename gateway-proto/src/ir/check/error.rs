//! What a check found.

use crate::error::ApiError;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid '{path}': {what}. {what_to_do}.")]
pub struct CheckError {
    /// The member at fault.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
    /// What the caller should do.
    pub what_to_do: String,
    /// A stable word for programs.
    pub code: &'static str,
}

impl CheckError {
    /// A value that has no meaning.
    pub(super) fn new(
        path: impl Into<String>,
        what: impl Into<String>,
        what_to_do: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            what: what.into(),
            what_to_do: what_to_do.into(),
            code: "invalid_value",
        }
    }

    /// The same with another code.
    pub(super) fn with_code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// A member that must be there.
    pub(super) fn missing(path: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self::new(path, "it is missing", what_to_do).with_code("missing_required_parameter")
    }

    /// More than `most` of something.
    pub(super) fn too_many(path: impl Into<String>, found: usize, most: usize) -> Self {
        let what = format!("it has {found} elements and the most is {most}");
        Self::new(path, what, "Send fewer").with_code("array_above_max_length")
    }

    /// A text of more than `most` bytes.
    pub(super) fn too_long(path: impl Into<String>, found: usize, most: usize) -> Self {
        let what = format!("it has {found} bytes and the most is {most}");
        Self::new(path, what, "Shorten it").with_code("string_above_max_length")
    }
}

impl From<CheckError> for ApiError {
    /// A 400 that names the member.
    fn from(error: CheckError) -> Self {
        Self::invalid_request(error.to_string())
            .with_code(error.code)
            .with_param(error.path)
    }
}

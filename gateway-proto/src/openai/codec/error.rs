//! Why a body could not be translated.

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
}

impl CodecError {
    /// The member at fault.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Json(_) => None,
            Self::Field { path, .. } | Self::Missing { path } => Some(path),
        }
    }
}

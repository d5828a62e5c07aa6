//! Why a caller is turned away.

use gateway_proto::error::ApiError;

/// Why a caller is turned away. No variant holds anything that was sent as a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// No key was sent.
    #[error("no API key was sent")]
    Missing,
    /// A key that is not on the ring.
    #[error("the API key is not known")]
    Unknown,
    /// A key past its end.
    #[error("the API key has expired")]
    Expired,
    /// A good key that may not use this model.
    #[error("the API key may not use this model")]
    Model(String),
}

impl Denied {
    /// The word for metrics and logs, which is also the error's `code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing | Self::Unknown => "invalid_api_key",
            Self::Expired => "expired_api_key",
            Self::Model(_) => "model_not_allowed",
        }
    }

    /// What the caller is told: 401 for who, 403 for what.
    #[must_use]
    pub fn to_api(&self) -> ApiError {
        let error = match self {
            Self::Missing => ApiError::new(
                401,
                "No API key was sent. Send yours as `Authorization: Bearer <key>`.",
            ),
            Self::Unknown => ApiError::new(
                401,
                "Incorrect API key. Check the key, or ask the operator for one.",
            ),
            Self::Expired => ApiError::new(
                401,
                "This API key has expired. Ask the operator for a new one.",
            ),
            Self::Model(model) => {
                let shown: String = model.chars().take(128).collect();
                ApiError::new(
                    403,
                    format!("This API key may not use the model `{shown}`."),
                )
                .with_param("model")
            }
        };
        error.with_code(self.code())
    }
}

//! vLLM's error bodies.

use http::StatusCode;
use serde_json::{Value, json};

/// A refusal, in the shape the engine would give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ApiError {
    /// `{"error": {message, type, param, code}}`.
    Object {
        status: StatusCode,
        kind: &'static str,
        message: String,
        param: Option<String>,
    },
    /// `{"detail": ...}`, from the web framework.
    Detail(StatusCode),
    /// The same for a method that the path does not take, with the one it does.
    NotAllowed(&'static str),
    /// `{"error": "Unauthorized"}`.
    Unauthorized,
}

impl ApiError {
    /// A request that the model's front end refuses.
    pub(super) fn bad_request(param: &str, message: impl Into<String>) -> Self {
        Self::Object {
            status: StatusCode::BAD_REQUEST,
            kind: "BadRequestError",
            message: message.into(),
            param: (!param.is_empty()).then(|| param.to_owned()),
        }
    }

    /// A body that does not fit the schema: what is wrong where, in the words of the validator.
    pub(super) fn validation(kind: &str, place: &str, what: &str, input: &str) -> Self {
        let loc = if place.is_empty() {
            "body".to_owned()
        } else {
            format!("body.{place}")
        };
        Self::Object {
            status: StatusCode::BAD_REQUEST,
            kind: "Bad Request",
            message: format!(
                "1 validation error:\n  {{'type': '{kind}', 'loc': '{loc}', 'msg': '{what}', 'input': {input}}}"
            ),
            param: Some(loc),
        }
    }

    pub(super) fn unsupported_media_type() -> Self {
        Self::Object {
            status: StatusCode::BAD_REQUEST,
            kind: "Bad Request",
            message:
                "1 validation error:\n  Unsupported Media Type: Only 'application/json' is allowed"
                    .to_owned(),
            param: None,
        }
    }

    pub(super) fn unknown_model(name: &str, known: &[String]) -> Self {
        Self::Object {
            status: StatusCode::NOT_FOUND,
            kind: "NotFoundError",
            message: format!(
                "The model `{name}` does not exist. Valid aliases: {}.",
                known.join(", ")
            ),
            param: Some("model".to_owned()),
        }
    }

    pub(super) fn busy() -> Self {
        Self::Object {
            status: StatusCode::SERVICE_UNAVAILABLE,
            kind: "Service Unavailable",
            message: "The engine is currently busy and cannot accept new requests. Please try again later or on a \
                      different instance."
                .to_owned(),
            param: None,
        }
    }

    /// A failure inside the engine.
    pub(super) fn internal(message: &str) -> Self {
        Self::Object {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            kind: "InternalServerError",
            message: message.to_owned(),
            param: None,
        }
    }

    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Object { status, .. } | Self::Detail(status) => *status,
            Self::NotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
        }
    }

    /// The body; `flat` gives SGLang's shape, with everything at the top.
    pub(super) fn body(&self, flat: bool) -> Value {
        match self {
            Self::Object {
                status,
                kind,
                message,
                ..
            } if flat => {
                let code = status.as_u16();
                json!({"object": "error", "message": message, "type": kind, "param": null, "code": code})
            }
            Self::Object {
                status,
                kind,
                message,
                param,
            } => {
                json!({"error": {"message": message, "type": kind, "param": param, "code": status.as_u16()}})
            }
            Self::Detail(_) | Self::NotAllowed(_) => {
                json!({"detail": self.status().canonical_reason()})
            }
            Self::Unauthorized => json!({"error": "Unauthorized"}),
        }
    }
}

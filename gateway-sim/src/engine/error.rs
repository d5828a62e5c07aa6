//! Refusals, in the words of each engine.

use http::StatusCode;
use serde_json::{Value, json};

use super::flavour::ErrorShape;

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
    /// A prompt that leaves no room for an answer.
    TooLong { tokens: usize, limit: usize },
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

    pub(super) fn not_found(message: String) -> Self {
        Self::Object {
            status: StatusCode::NOT_FOUND,
            kind: "NotFoundError",
            message,
            param: None,
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

    /// The status, which differs between engines for the same refusal.
    pub(super) fn status(&self, shape: ErrorShape) -> StatusCode {
        let plain = match self {
            Self::Object { status, .. } | Self::Detail(status) => *status,
            Self::TooLong { .. } => StatusCode::BAD_REQUEST,
            Self::NotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
        };
        match (shape, plain) {
            (ErrorShape::Pair, StatusCode::BAD_REQUEST) => StatusCode::UNPROCESSABLE_ENTITY,
            (ErrorShape::Pair, StatusCode::SERVICE_UNAVAILABLE) => StatusCode::TOO_MANY_REQUESTS,
            (ErrorShape::Pair, StatusCode::INTERNAL_SERVER_ERROR) => StatusCode::FAILED_DEPENDENCY,
            (ErrorShape::Coded, StatusCode::METHOD_NOT_ALLOWED) => StatusCode::NOT_FOUND,
            (_, status) => status,
        }
    }

    /// The body in an engine's shape.
    pub(super) fn body(&self, shape: ErrorShape) -> Value {
        let code = self.status(shape).as_u16();
        let message = self.message();
        match (self, shape) {
            (_, ErrorShape::Pair) => {
                json!({"error": message, "error_type": pair_kind(code)})
            }
            (Self::TooLong { tokens, limit }, ErrorShape::Coded) => {
                let message = format!(
                    "request ({tokens} tokens) exceeds the available context size ({limit} tokens), try increasing it"
                );
                json!({"error": {"code": code, "message": message, "type": "exceed_context_size_error",
                    "n_prompt_tokens": tokens, "n_ctx": limit}})
            }
            (_, ErrorShape::Coded) => {
                json!({"error": {"code": code, "message": message, "type": coded_kind(code)}})
            }
            (Self::Detail(_) | Self::NotAllowed(_), _) => json!({"detail": message}),
            (Self::Unauthorized, _) => json!({"error": message}),
            (_, ErrorShape::Flat) => {
                json!({"object": "error", "message": message, "type": self.kind(), "param": null, "code": code})
            }
            (_, ErrorShape::Nested) => {
                json!({"error": {"message": message, "type": self.kind(), "param": self.param(), "code": code}})
            }
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Object { kind, .. } => kind,
            _ => "BadRequestError",
        }
    }

    fn param(&self) -> Option<&str> {
        match self {
            Self::Object { param, .. } => param.as_deref(),
            _ => Some("input_tokens"),
        }
    }

    fn message(&self) -> String {
        let reason = |status: StatusCode| status.canonical_reason().unwrap_or_default().to_owned();
        match self {
            Self::Object { message, .. } => message.clone(),
            Self::TooLong { tokens, limit } => format!(
                "This model's maximum context length is {limit} tokens. However, your prompt contains {tokens} input \
                 tokens, which exceeds this limit even without any output tokens. Please reduce the length of the \
                 input prompt. (parameter=input_tokens, value={tokens})"
            ),
            Self::Detail(status) => reason(*status),
            Self::NotAllowed(_) => reason(StatusCode::METHOD_NOT_ALLOWED),
            Self::Unauthorized => "Unauthorized".to_owned(),
        }
    }
}

/// Text Generation Inference's `error_type`.
const fn pair_kind(code: u16) -> &'static str {
    match code {
        422 => "validation",
        424 => "generation",
        429 => "overloaded",
        404 | 405 => "not_found",
        _ => "unknown",
    }
}

/// llama.cpp's `type`.
const fn coded_kind(code: u16) -> &'static str {
    match code {
        400 => "invalid_request_error",
        401 => "authentication_error",
        404 => "not_found_error",
        503 => "unavailable_error",
        _ => "server_error",
    }
}

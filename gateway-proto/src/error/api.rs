//! The one error shape that leaves the gateway.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

/// An error in OpenAI's terms: `{"error":{"message","type","param","code"}}` under an HTTP status.
///
/// The message is meant for the caller; it must hold nothing about the inside of the service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// OpenAI's `type`, as `invalid_request_error`.
    pub kind: Cow<'static, str>,
    /// A stable word for programs, as `model_not_found`; `null` on the wire when absent.
    pub code: Option<Cow<'static, str>>,
    /// What went wrong and what to do, one or two sentences.
    pub message: String,
    /// The request field at fault, as `messages[2].role`.
    pub param: Option<String>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    message: Cow<'a, str>,
    r#type: &'a str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

impl ApiError {
    /// An error with the `type` that OpenAI uses for `status`, without code and param.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            kind: Cow::Borrowed(kind_of(status)),
            code: None,
            message: message.into(),
            param: None,
        }
    }

    /// The same error with a stable code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same error naming the field at fault.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// 400: the request itself is wrong; sending it again is of no use.
    #[must_use]
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// 404: no such model, or none that this caller may see.
    #[must_use]
    pub fn unknown_model(model: &str) -> Self {
        let shown: String = model.chars().take(128).collect();
        Self::new(
            404,
            format!("The model `{shown}` does not exist or you do not have access to it."),
        )
        .with_code("model_not_found")
        .with_param("model")
    }

    /// 403: a known caller who may not do this.
    #[must_use]
    pub fn permission(message: impl Into<String>) -> Self {
        Self::new(403, message).with_code("permission_denied")
    }

    /// 413: the body is larger than `limit_bytes`.
    #[must_use]
    pub fn too_large(limit_bytes: u64) -> Self {
        Self::new(
            413,
            format!("The request body is larger than {limit_bytes} bytes."),
        )
        .with_code("request_too_large")
    }

    /// 429: too many requests of this caller.
    #[must_use]
    pub fn rate_limited(message: impl Into<String>) -> Self {
        Self::new(429, message).with_code("rate_limit_exceeded")
    }

    /// 503: nobody can take the request now; later it may work.
    #[must_use]
    pub fn overloaded(message: impl Into<String>) -> Self {
        Self::new(503, message).with_code("overloaded")
    }

    /// 502: the engine answered nothing usable.
    #[must_use]
    pub fn upstream(message: impl Into<String>) -> Self {
        Self::new(502, message).with_code("upstream_error")
    }

    /// 504: the engine took too long.
    #[must_use]
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(504, message).with_code("timeout")
    }

    /// 404: no such route.
    #[must_use]
    pub fn not_found(method: &str, path: &str) -> Self {
        let shown: String = path.chars().take(256).collect();
        Self::new(404, format!("Unknown request URL: {method} {shown}.")).with_code("unknown_url")
    }

    /// 405: the route exists, for other methods.
    #[must_use]
    pub fn method_not_allowed(method: &str) -> Self {
        Self::new(405, format!("This route does not allow {method}."))
            .with_code("method_not_allowed")
    }

    /// 500: a fault of the gateway, told without details.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            500,
            "The gateway had an error while processing your request.",
        )
        .with_code("internal_error")
    }

    /// The JSON body; `request_id` is added to the message, so that it reaches whoever copies the message only.
    #[must_use]
    pub fn to_json(&self, request_id: Option<&str>) -> Bytes {
        let mut out = BytesMut::with_capacity(160 + self.message.len());
        self.write_json(request_id, &mut out);
        out.freeze()
    }

    /// The event that ends a stream with this error: one `data:` line, no `[DONE]` after it.
    #[must_use]
    pub fn to_event(&self, request_id: Option<&str>) -> Bytes {
        let mut out = BytesMut::with_capacity(168 + self.message.len());
        out.extend_from_slice(b"data: ");
        self.write_json(request_id, &mut out);
        out.extend_from_slice(b"\n\n");
        out.freeze()
    }

    fn write_json(&self, request_id: Option<&str>, out: &mut BytesMut) {
        let message = match request_id {
            Some(id) => Cow::Owned(format!("{} (request id: {id})", self.message)),
            None => Cow::Borrowed(self.message.as_str()),
        };
        let error = Body {
            message,
            r#type: &self.kind,
            param: self.param.as_deref(),
            code: self.code.as_deref(),
        };
        serde_json::to_writer(out.writer(), &Envelope { error })
            .expect("strings always serialise into memory");
    }
}

/// OpenAI's `type` for a status.
fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        502 => "upstream_error",
        500..=599 => "server_error",
        _ => "invalid_request_error",
    }
}

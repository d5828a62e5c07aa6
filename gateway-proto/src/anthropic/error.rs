//! Errors in Anthropic's envelope.

use bytes::Bytes;

use crate::error::ApiError;
use crate::json;

/// The JSON body of an error:
/// `{"type":"error","error":{"type","message","details":{"error_code"}},"request_id"}`.
///
/// The type follows from the status alone, as Anthropic documents it; a gateway that is overloaded may answer 503 or
/// Anthropic's own 529, and clients retry both. The field at fault has no member of its own, so the message begins with
/// it; a stable code goes to `details`, where the newer clients look for one.
#[must_use]
pub fn error_body(error: &ApiError, request_id: Option<&str>) -> Bytes {
    let mut out = Vec::with_capacity(160 + error.message.len());
    push(&mut out, error, request_id);
    out.into()
}

/// Writes the same into a buffer.
pub(super) fn push(out: &mut Vec<u8>, error: &ApiError, request_id: Option<&str>) {
    out.extend_from_slice(br#"{"type":"error","error":{"type":""#);
    out.extend_from_slice(kind(error.status).as_bytes());
    out.extend_from_slice(br#"","message":""#);
    if let Some(path) = &error.param
        && !error.message.contains(path.as_str())
    {
        json::push_str_escaped(out, path);
        out.extend_from_slice(b": ");
    }
    json::push_str_escaped(out, &error.message);
    out.push(b'"');
    if let Some(code) = &error.code {
        out.extend_from_slice(br#","details":{"error_code":"#);
        json::push_str(out, code);
        out.push(b'}');
    }
    out.push(b'}');
    if let Some(id) = request_id {
        out.extend_from_slice(br#","request_id":"#);
        json::push_str(out, id);
    }
    out.push(b'}');
}

/// Anthropic's `type` for a status.
fn kind(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        500..=599 => "api_error",
        _ => "invalid_request_error",
    }
}

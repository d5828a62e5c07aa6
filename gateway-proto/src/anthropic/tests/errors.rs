use serde_json::{Value, json};

use crate::anthropic::error_body;
use crate::error::ApiError;

fn written(error: &ApiError, id: Option<&str>) -> Value {
    serde_json::from_slice(&error_body(error, id)).expect("JSON")
}

#[test]
fn types_follow_the_status() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ] {
        assert_eq!(
            written(&ApiError::new(status, "no"), None),
            json!({"type": "error", "error": {"type": kind, "message": "no"}})
        );
    }
}

#[test]
fn the_field_the_code_and_the_request() {
    let error = ApiError::invalid_request("expected \"x\"")
        .with_param("messages.0.role")
        .with_code("invalid_value");
    assert_eq!(
        written(&error, Some("req_1")),
        json!({
            "type": "error",
            "error": {
                "type": "invalid_request_error",
                "message": "messages.0.role: expected \"x\"",
                "details": {"error_code": "invalid_value"}
            },
            "request_id": "req_1"
        })
    );
}

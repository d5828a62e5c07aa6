use serde_json::{Value, json};

use crate::anthropic::{decode_request, error_body};
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

#[test]
fn a_conversation_to_be_kept_is_refused_with_the_code_on_which_clients_send_it_whole() {
    let body = br#"{"model":"m","max_tokens":9,"thread":{"type":"create"},
        "messages":[{"role":"user","content":"q"}]}"#;
    let fault = decode_request(body).expect_err("refused");
    assert_eq!(fault.path.as_deref(), Some("thread"));
    let written = written(&ApiError::from(fault), None);
    assert_eq!(
        written["error"]["details"]["error_code"],
        "thread_unsupported_request"
    );
}

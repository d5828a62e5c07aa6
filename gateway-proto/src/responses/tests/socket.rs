use serde_json::json;

use crate::error::ApiError;
use crate::responses::{decode_message, error_message};

fn read(value: &serde_json::Value) -> Result<super::ResponsesRequest, super::DialectError> {
    decode_message(value.to_string().as_bytes())
}

#[test]
fn a_message_is_a_request_that_streams() {
    let message = json!({"type": "response.create", "model": "m", "input": "hi", "stream": false});
    let request = read(&message).expect("a good message");
    assert!(request.request.stream && request.request.include_usage);
    assert!(request.settings.generate);
}

#[test]
fn a_warm_up_may_be_empty() {
    let message = json!({"type": "response.create", "model": "m", "input": [], "generate": false});
    let request = read(&message).expect("a good message");
    assert!(!request.settings.generate && !request.needs_history());
}

#[test]
fn other_messages_are_refused() {
    let good = json!({"type": "response.create", "model": "m", "input": "hi"});
    for (key, value) in [
        ("type", json!("response.destroy")),
        ("type", json!(null)),
        ("background", json!(true)),
    ] {
        let mut message = good.clone();
        message[key] = value;
        let fault = read(&message).expect_err("a bad message");
        assert_eq!(fault.path.as_deref(), Some(key));
    }
}

#[test]
fn errors_have_the_specified_form() {
    let error = ApiError::invalid_request("No.").with_code("previous_response_not_found");
    let told: serde_json::Value = serde_json::from_slice(&error_message(&error, 3)).expect("JSON");
    assert_eq!(told["type"], "error");
    assert_eq!(told["status"], 400);
    assert_eq!(told["sequence_number"], 3);
    assert_eq!(told["error"]["code"], "previous_response_not_found");
}

use super::*;

fn sample(text: &str) -> (u16, &str) {
    let (_, body) = text.split_once("\n\n< ").expect("a capture has a reply");
    let status = body[..3].parse().expect("a capture has a status");
    (
        status,
        body.split_once("\n\n").expect("a capture has a body").1,
    )
}

macro_rules! fault {
    ($path:literal) => {{
        let (status, body) = sample(include_str!(concat!("../../testdata/", $path)));
        EngineFault::parse(status, body.as_bytes())
    }};
}

#[test]
fn vllm_nested_error_is_read() {
    let fault = fault!("vllm/err_wrong_type.txt");
    assert_eq!(fault.shape, FaultShape::Nested);
    assert_eq!(fault.error.status, 400);
    assert_eq!(fault.error.kind, "invalid_request_error");
    assert_eq!(fault.error.param.as_deref(), Some("body.max_tokens"));
    assert_eq!(fault.engine_kind.as_deref(), Some("Bad Request"));
    assert!(fault.error.message.contains("valid integer"));
}

#[test]
fn sglang_flat_error_loses_its_file_and_line() {
    let fault = fault!("sglang/err_wrong_type.txt");
    assert_eq!(fault.shape, FaultShape::Flat);
    assert!(
        fault.error.message.contains("valid integer"),
        "{}",
        fault.error.message
    );
    assert!(
        !fault.error.message.contains("site-packages"),
        "{}",
        fault.error.message
    );
    assert!(
        !fault.error.message.contains("line 1870"),
        "{}",
        fault.error.message
    );
}

#[test]
fn fastapi_detail_is_read() {
    assert_eq!(fault!("vllm/err_404.txt").error.message, "Not Found");
    let list = EngineFault::parse(
        422,
        br#"{"detail":[{"loc":["body"],"msg":"Field required"}]}"#,
    );
    assert_eq!(
        (list.shape, list.error.message.as_str()),
        (FaultShape::Detail, "Field required")
    );
}

#[test]
fn words_types_and_rubbish() {
    let word = EngineFault::parse(401, br#"{"error":"Unauthorized"}"#);
    assert_eq!(
        (word.shape, word.error.message.as_str()),
        (FaultShape::Word, "Unauthorized")
    );
    let typed = EngineFault::parse(
        429,
        br#"{"error":"Model is overloaded","error_type":"overloaded"}"#,
    );
    assert_eq!(
        (typed.shape, typed.engine_kind.as_deref()),
        (FaultShape::Typed, Some("overloaded"))
    );
    let html = EngineFault::parse(502, b"<html>nginx/1.2</html>");
    assert_eq!(
        html.error.message,
        "The engine failed while processing the request."
    );
    let huge = EngineFault::parse(500, &b"x".repeat(1 << 20));
    assert_eq!(
        huge.error.message,
        "The engine failed while processing the request."
    );
    assert_eq!(EngineFault::parse(503, b" ").shape, FaultShape::Empty);
    assert_eq!(
        EngineFault::parse(500, b"\xff\xfe plain").shape,
        FaultShape::Unknown
    );
}

#[test]
fn an_error_under_200_takes_the_status_from_its_code() {
    let with_code = |code: &str| {
        EngineFault::parse(
            200,
            format!(r#"{{"error":{{"message":"x","code":{code}}}}}"#).as_bytes(),
        )
    };
    assert_eq!(with_code("503").error.status, 503);
    for absurd in ["7", "-1", "99999999999", "null", "\"boom\"", "[]"] {
        assert_eq!(with_code(absurd).error.status, 502, "{absurd}");
    }
    assert_eq!(
        with_code("\"context_length_exceeded\"")
            .error
            .code
            .as_deref(),
        Some("context_length_exceeded")
    );
}

#[test]
fn server_paths_go_and_routes_stay() {
    let clean = |raw| sanitise::message(raw);
    assert_eq!(
        clean("cannot open '/srv/models/q.bin': no"),
        "cannot open '<path>': no"
    );
    assert_eq!(
        clean("use /v1/chat/completions and/or text/plain"),
        "use /v1/chat/completions and/or text/plain"
    );
    assert_eq!(clean("see https://host/a/b"), "see https://host/a/b");
    assert_eq!(
        clean("boom\nTraceback (most recent call last):\n  x"),
        "boom"
    );
    assert_eq!(clean("at:/opt/x/y.py:12"), "at:<path>");
}

#[test]
fn long_messages_are_cut_on_a_character() {
    let long = "é".repeat(4000);
    assert!(sanitise::message(&long).len() <= sanitise::MESSAGE_BYTES);
}

#[test]
fn bodies_have_openai_form() {
    let error = ApiError::invalid_request("Bad \"n\".").with_param("n");
    assert_eq!(
        error.to_json(None),
        r#"{"error":{"message":"Bad \"n\".","type":"invalid_request_error","param":"n","code":null}}"#
    );
    let event = ApiError::internal().to_event(Some("r-1"));
    assert!(event.starts_with(b"data: {\"error\":{") && event.ends_with(b"\n\n"));
    assert!(String::from_utf8_lossy(&event).contains("(request id: r-1)"));
}

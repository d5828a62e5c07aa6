//! Bodies that are no requests: the right status, the field's name, and a gateway that goes on.

use crate::rig::{CHAT, Plan, Rig};

const MESSAGES: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

/// Sends `body` and expects this refusal.
async fn refused(rig: &Rig, body: &[u8], status: u16, code: &str, param: Option<&str>) {
    let reply = rig.chat(&[], body).await;
    let shown = String::from_utf8_lossy(&body[..body.len().min(80)]);
    let (found_code, found_param) = reply.error();
    assert_eq!(
        (reply.status, &*found_code, found_param.as_deref()),
        (status, code, param),
        "{shown}"
    );
    assert!(reply.headers.contains_key("x-request-id"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_object_is_refused() {
    let rig = Rig::start(Plan::default()).await;
    let deep = format!(
        "{{\"model\":\"m\",\"x\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    for body in [
        &b""[..],
        &CHAT.as_bytes()[..CHAT.len() - 3],
        deep.as_bytes(),
        b"{\"model\":\"\xff\xfe\"}",
        b"[]",
        format!("{CHAT}x").as_bytes(),
    ] {
        refused(&rig, body, 400, "invalid_json", None).await;
    }
    assert_eq!(rig.engines[0].stats().requests, 0);
    assert_eq!(
        rig.chat(&[], CHAT).await.status,
        200,
        "and the gateway goes on"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_are_named() {
    let rig = Rig::start(Plan::default()).await;
    for (fields, code, param) in [
        (r#""model":5"#, "invalid_type", "model"),
        (r#""model":"m","model":"n""#, "duplicate_parameter", "model"),
        (r#""stream":true"#, "missing_required_parameter", "model"),
        (r#""model":"m","n":1000000"#, "invalid_value", "n"),
        (r#""model":"m","stream":"yes""#, "invalid_type", "stream"),
        (
            r#""model":"m","max_tokens":-1"#,
            "invalid_value",
            "max_tokens",
        ),
    ] {
        let body = format!("{{{fields},{MESSAGES}}}");
        refused(&rig, body.as_bytes(), 400, code, Some(param)).await;
    }
    let unheard = format!("{{\"model\":\"unheard-of\",{MESSAGES}}}");
    refused(
        &rig,
        unheard.as_bytes(),
        404,
        "model_not_found",
        Some("model"),
    )
    .await;
    refused(
        &rig,
        br#"{"model":"m"}"#,
        400,
        "missing_required_parameter",
        Some("messages"),
    )
    .await;
    let role = br#"{"model":"m","messages":[{"role":7}]}"#;
    refused(&rig, role, 400, "invalid_type", Some("messages[0].role")).await;
    assert_eq!(rig.engines[0].stats().requests, 0);
}

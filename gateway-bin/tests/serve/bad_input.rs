//! Bodies that are no requests: the right status, the field's name, and a gateway that goes on.

use crate::rig::{CHAT, Plan, Rig};

const MESSAGES: &str = r#""messages":[{"role":"user","content":"hi"}]"#;

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_are_refused_with_the_fields_name() {
    let rig = Rig::start(Plan::default()).await;
    let deep = format!(
        "{{\"model\":\"m\",\"x\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let with = |fields: &str| format!("{{{fields},{MESSAGES}}}").into_bytes();
    let cases: [(Vec<u8>, u16, &str, Option<&str>); 15] = [
        (Vec::new(), 400, "invalid_json", None),
        (
            CHAT.as_bytes()[..CHAT.len() - 3].to_vec(),
            400,
            "invalid_json",
            None,
        ),
        (deep.into_bytes(), 400, "invalid_json", None),
        (
            b"{\"model\":\"\xff\xfe\"}".to_vec(),
            400,
            "invalid_json",
            None,
        ),
        (b"[]".to_vec(), 400, "invalid_json", None),
        (format!("{CHAT}x").into_bytes(), 400, "invalid_json", None),
        (with(r#""model":5"#), 400, "invalid_type", Some("model")),
        (
            with(r#""model":"m","model":"n""#),
            400,
            "duplicate_parameter",
            Some("model"),
        ),
        (
            with(r#""stream":true"#),
            400,
            "missing_required_parameter",
            Some("model"),
        ),
        (
            br#"{"model":"m"}"#.to_vec(),
            400,
            "missing_required_parameter",
            Some("messages"),
        ),
        (
            br#"{"model":"m","messages":[{"role":7}]}"#.to_vec(),
            400,
            "invalid_type",
            Some("messages[0].role"),
        ),
        (
            with(r#""model":"m","n":1000000"#),
            400,
            "invalid_value",
            Some("n"),
        ),
        (
            with(r#""model":"m","stream":"yes""#),
            400,
            "invalid_type",
            Some("stream"),
        ),
        (
            with(r#""model":"m","max_tokens":-1"#),
            400,
            "invalid_value",
            Some("max_tokens"),
        ),
        (
            with(r#""model":"unheard-of""#),
            404,
            "model_not_found",
            Some("model"),
        ),
    ];
    for (body, status, code, param) in cases {
        let reply = rig.chat(&[], &body).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let (found_code, found_param) = reply.error();
        assert_eq!(
            (reply.status, found_code.as_str(), found_param.as_deref()),
            (status, code, param),
            "{shown}"
        );
        assert!(reply.headers.contains_key("x-request-id"), "{shown}");
    }
    assert_eq!(rig.engines[0].stats().requests, 0);
    assert_eq!(
        rig.chat(&[], CHAT).await.status,
        200,
        "and the gateway goes on"
    );
}

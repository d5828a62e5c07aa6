//! Who may come in, and what of it reaches an engine.

use gateway_govern::keys::KeyHash;

use crate::{
    rig::{CHAT, KEY, Plan, Rig},
    wire::{Reply, exchange, get, request},
};

async fn rig() -> Rig {
    let [narrow, old] = ["gw-narrow", "gw-old"].map(KeyHash::of);
    let keys = format!(
        "  - {{name: narrow, hash: \"{narrow}\", models: [other]}}\n  - {{name: old, hash: \"{old}\", expires: 2020-01-01T00:00:00Z}}\n"
    );
    Rig::start(Plan {
        keys: &keys,
        ..Plan::default()
    })
    .await
}

async fn with(rig: &Rig, headers: &[(&str, &str)]) -> Reply {
    exchange(
        rig.addr(),
        &request("POST", "/v1/chat/completions", headers, CHAT.as_bytes()),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_known_key_opens() {
    let rig = rig().await;
    for (name, value) in [
        ("authorization", format!("Bearer {KEY}")),
        ("x-api-key", KEY.into()),
        ("api-key", KEY.into()),
    ] {
        assert_eq!(with(&rig, &[(name, &value)]).await.status, 200, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_does() {
    let rig = rig().await;
    for (headers, status, code) in [
        (&[][..], 401, "invalid_api_key"),
        (&[("authorization", "Bearer wrong")], 401, "invalid_api_key"),
        (
            &[("authorization", "Basic Z3ctdGVzdA==")],
            401,
            "invalid_api_key",
        ),
        (&[("x-api-key", "")], 401, "invalid_api_key"),
        (&[("cookie", "key=gw-test")], 401, "invalid_api_key"),
        (&[("x-api-key", "gw-old")], 401, "expired_api_key"),
        (&[("x-api-key", "gw-narrow")], 403, "model_not_allowed"),
    ] {
        let reply = with(&rig, headers).await;
        assert_eq!(
            (reply.status, reply.error().0.as_str()),
            (status, code),
            "{headers:?}"
        );
    }
    assert_eq!(
        rig.engines[0].stats().requests,
        0,
        "no engine saw any of it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_checked_before_the_body_is_read() {
    let rig = rig().await;
    let raw = b"POST /v1/chat/completions HTTP/1.1\r\nhost: test\r\ncontent-length: 1000\r\n\r\n{";
    assert_eq!(exchange(rig.addr(), raw).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_as_far_as_the_key_goes() {
    let rig = rig().await;
    let names = |reply: Reply| -> Vec<String> {
        let body = reply.json();
        let data = body["data"].as_array().expect("a list").iter();
        data.map(|card| card["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(get(rig.addr(), "/v1/models", &[]).await.status, 401);
    assert_eq!(
        names(get(rig.addr(), "/v1/models", &[("x-api-key", KEY)]).await),
        ["m"]
    );
    assert!(names(get(rig.addr(), "/v1/models", &[("x-api-key", "gw-narrow")]).await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn engines_see_neither_keys_nor_trust_headers() {
    let rig = rig().await;
    let headers = [
        ("x-api-key", "gw-second"),
        ("api-key", "gw-third"),
        ("cookie", "session=1"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-gateway-user", "root"),
        ("x-custom", "kept"),
        ("x-request-id", "mine-1"),
    ];
    assert_eq!(rig.chat(&headers, CHAT).await.status, 200);
    let seen = rig.engines[0].last_request().headers;
    for gone in [
        "authorization",
        "x-api-key",
        "api-key",
        "cookie",
        "x-forwarded-for",
        "x-gateway-user",
    ] {
        assert!(!seen.contains_key(gone), "{gone}: {seen:?}");
    }
    assert_eq!(seen["x-custom"], "kept");
    assert_eq!(seen["x-request-id"], "mine-1");
    assert!(!format!("{seen:?}").contains("gw-"), "{seen:?}");
}

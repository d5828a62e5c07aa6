//! Why an endpoint was chosen is told to those who may know.

use gateway_govern::keys::KeyHash;

use crate::{
    rig::{CHAT, Plan, Rig},
    wire::{exchange, request},
};

#[tokio::test(flavor = "multi_thread")]
async fn only_a_permitted_key_that_asks_is_told() {
    let plain = KeyHash::of("gw-plain");
    let keys = format!("  - {{name: plain, hash: \"{plain}\"}}\n");
    let rig = Rig::start(Plan {
        engines: 2,
        keys: &keys,
        ..Plan::default()
    })
    .await;

    let told = rig.chat(&[("x-gateway-explain", "1")], CHAT).await;
    let record: serde_json::Value =
        serde_json::from_str(&told.headers["x-gateway-decision"]).expect("json");
    assert_eq!(
        record["chosen"].as_str(),
        Some(told.headers["x-gateway-endpoint"].as_str())
    );
    assert_eq!(record["candidates"].as_array().map(Vec::len), Some(2));

    let unasked = rig.chat(&[], CHAT).await;
    let headers = [("x-gateway-explain", "1"), ("x-api-key", "gw-plain")];
    let unpermitted = exchange(
        rig.addr(),
        &request("POST", "/v1/chat/completions", &headers, CHAT.as_bytes()),
    )
    .await;
    for reply in [unasked, unpermitted] {
        assert_eq!(reply.status, 200);
        assert!(
            !reply
                .headers
                .keys()
                .any(|name| name.starts_with("x-gateway-")),
            "{:?}",
            reply.headers
        );
    }
}

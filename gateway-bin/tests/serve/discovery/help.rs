//! What tests of discovery ask of a gateway.

use std::time::Duration;

use gateway_bin::Running;
use gateway_govern::keys::KeyHash;
use serde_json::{Value, json};
use tokio::time;

use crate::{
    rig::{self, KEY},
    wire::{self, Reply},
};

/// The key of operators.
pub(super) const ADMIN: &str = "gw-admin";

pub(super) fn admin() -> String {
    format!(
        "admin: {{keys: [{{name: op, hash: \"{}\"}}]}}\n",
        KeyHash::of(ADMIN)
    )
}

/// Waits until the metrics have this line.
pub(super) async fn until(gateway: &Running, line: &str) {
    let seen = async {
        while !gateway.metrics().lines().any(|found| found == line) {
            time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = time::timeout(Duration::from_secs(60), seen).await;
    in_time.unwrap_or_else(|_| panic!("{line} in\n{}", gateway.metrics()));
}

pub(super) async fn ask(
    gateway: &Running,
    method: &str,
    path: &str,
    key: &str,
    body: &str,
) -> Reply {
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", &*bearer)];
    wire::exchange(
        gateway.addr(),
        &wire::request(method, path, &headers, body.as_bytes()),
    )
    .await
}

pub(super) async fn chat(gateway: &Running) -> u16 {
    ask(gateway, "POST", "/v1/chat/completions", KEY, rig::CHAT)
        .await
        .status
}

/// A chat of `prompt`; who served it and the record of that decision.
pub(super) async fn explained(gateway: &Running, prompt: &str) -> (String, Value) {
    let body =
        json!({"model": "m", "max_tokens": 4, "messages": [{"role": "user", "content": prompt}]});
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", &*bearer), ("x-gateway-explain", "1")];
    let request = wire::request(
        "POST",
        "/v1/chat/completions",
        &headers,
        body.to_string().as_bytes(),
    );
    let reply = wire::exchange(gateway.addr(), &request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let record = serde_json::from_str(&reply.headers["x-gateway-decision"]).expect("json");
    (reply.headers["x-gateway-endpoint"].clone(), record)
}

/// The record's candidate of that name; none where it was filtered out, as those that have just started are for a while.
pub(super) fn candidate<'a>(record: &'a Value, endpoint: &str) -> Option<&'a Value> {
    let mut all = record["candidates"].as_array().expect("a list").iter();
    all.find(|one| one["endpoint"] == endpoint)
}

/// Waits until nobody of `source` is on the way out.
pub(super) async fn until_all_left(gateway: &Running, source: &str) {
    let line = format!("gateway_endpoints{{source=\"{source}\",state=\"leaving\"}}");
    let left = async {
        while gateway.metrics().contains(&line) {
            time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = time::timeout(Duration::from_secs(60), left).await;
    in_time.unwrap_or_else(|_| panic!("{line} in\n{}", gateway.metrics()));
}

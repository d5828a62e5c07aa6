//! Reload by file: all or nothing, and requests in flight do not notice.

use std::time::Duration;

use gateway_govern::keys::KeyHash;
use tokio::time;

use crate::{rig, rig::KEY, wire::get};

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_takes_effect_and_a_bad_one_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gateway.yaml");
    let engines = rig::engines(1, 100.0).await;
    let text = rig::yaml(&engines, "", "");
    std::fs::write(&file, &text).expect("written");
    let gateway = rig::start_reloading(&text, &file).await;
    let address = gateway.addr();
    let status = |key: &'static str| async move {
        get(address, "/v1/models", &[("x-api-key", key)])
            .await
            .status
    };
    let metric = |line: &'static str| gateway.metrics().lines().any(|found| found == line);
    assert_eq!((status(KEY).await, status("gw-new").await), (200, 401));

    std::fs::write(&file, text.replace("threads", "thread")).expect("written");
    while !metric("gateway_reloads_total{result=\"refused\"} 1") {
        time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        (status(KEY).await, status("gw-new").await),
        (200, 401),
        "a bad file changes nothing"
    );

    let hash = KeyHash::of("gw-new");
    let keys = format!("  - {{name: new, hash: \"{hash}\"}}\n");
    std::fs::write(&file, rig::yaml(&engines, &keys, "")).expect("written");
    while !metric("gateway_reloads_total{result=\"taken\"} 1") {
        time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((status(KEY).await, status("gw-new").await), (200, 200));
}

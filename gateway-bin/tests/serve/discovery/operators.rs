//! Endpoints that come and go while the gateway runs: by file, and by operators.

use gateway_bin::Options;

use super::help::{ADMIN, admin, ask, chat, until};
use crate::rig::{self, KEY, Plan, Rig};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_endpoints_is_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("endpoints.yaml");
    let engines = rig::engines(2, 100.0).await;
    let list = |names: &[usize]| {
        let line = |at: &usize| format!("- {{name: f{at}, url: \"{}\"}}\n", engines[*at].url());
        names.iter().map(line).collect::<String>()
    };
    std::fs::write(&file, list(&[0])).expect("written");
    let more = format!(
        "discovery: {{files: [{{name: rack, path: {}}}]}}\n",
        file.display()
    );
    let gateway = rig::start(&rig::yaml(&[], "", &more), Options::default()).await;
    assert_eq!(chat(&gateway).await, 200, "there from the first request on");
    assert!(
        gateway
            .metrics()
            .contains("gateway_discovery_up{source=\"rack\",kind=\"file\"} 1")
    );

    std::fs::write(&file, "- {name: f0, urls: x}\n").expect("written");
    until(
        &gateway,
        "gateway_discovery_up{source=\"rack\",kind=\"file\"} 0",
    )
    .await;
    assert_eq!(chat(&gateway).await, 200, "a bad file changes nothing");

    std::fs::write(&file, format!("{}\n", list(&[0, 1]))).expect("written");
    until(
        &gateway,
        "gateway_endpoints{source=\"rack\",state=\"listed\"} 2",
    )
    .await;
    std::fs::write(&file, list(&[1])).expect("written");
    until(
        &gateway,
        "gateway_endpoints{source=\"rack\",state=\"listed\"} 1",
    )
    .await;
    assert_eq!(chat(&gateway).await, 200);
    assert!(
        !gateway.metrics().contains("endpoint=\"f0\""),
        "{}",
        gateway.metrics()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_admin_route_without_a_key() {
    let rig = Rig::start(Plan::default()).await;
    assert_eq!(
        ask(&rig.gateway, "GET", "/admin/endpoints", KEY, "")
            .await
            .status,
        404
    );
    let more = admin();
    let rig = Rig::start(Plan {
        more: &more,
        ..Plan::default()
    })
    .await;
    let gateway = &rig.gateway;
    let status = |key| async move {
        ask(gateway, "GET", "/admin/endpoints", key, "")
            .await
            .status
    };
    assert_eq!(
        (status(KEY).await, status("").await),
        (401, 401),
        "clients are no operators"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_add_drain_and_remove() {
    let rig = Rig::start(Plan {
        more: &admin(),
        ..Plan::default()
    })
    .await;
    let extra = rig::engines(1, 100.0).await;
    let gateway = &rig.gateway;
    let admin = |method: &'static str, path: String, body: String| async move {
        ask(gateway, method, &path, ADMIN, &body).await
    };
    let all = || "/admin/endpoints".to_owned();
    let entry = format!("{{\"name\": \"added/x\", \"url\": \"{}\"}}", extra[0].url());
    assert_eq!(admin("POST", all(), entry.clone()).await.status, 201);
    assert_eq!(admin("POST", all(), entry).await.status, 409);
    assert_eq!(
        admin("POST", all(), "{\"name\": \"y\"}".to_owned())
            .await
            .status,
        400
    );

    assert_eq!(
        admin("PUT", format!("{}/e0/drain", all()), String::new())
            .await
            .status,
        200
    );
    for _ in 0..5 {
        assert_eq!(chat(gateway).await, 200, "the one that was added serves");
    }
    let served = "gateway_endpoint_requests_total{endpoint=\"added/x\",outcome=\"completed\"} 5";
    until(gateway, served).await;
    let listed = admin("GET", all(), String::new()).await.json();
    let of = |key| [0, 1].map(|at: usize| listed["endpoints"][at][key].as_str().expect("text"));
    let states = [of("name"), of("source"), of("state")];
    assert_eq!(
        states,
        [
            ["e0", "added/x"],
            ["config", "admin"],
            ["drained", "listed"]
        ]
    );

    assert_eq!(
        admin("DELETE", format!("{}/added%2Fx", all()), String::new())
            .await
            .status,
        200
    );
    assert_eq!(chat(gateway).await, 503, "drained, and the other gone");
    assert_eq!(
        admin("DELETE", format!("{}/e0", all()), String::new())
            .await
            .status,
        409
    );
    assert_eq!(
        admin("DELETE", format!("{}/e0/drain", all()), String::new())
            .await
            .status,
        200
    );
    assert_eq!(chat(gateway).await, 200);
    assert_eq!(
        admin("PUT", format!("{}/nobody/drain", all()), String::new())
            .await
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_operators_added_outlives_a_reload() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gateway.yaml");
    let engines = rig::engines(2, 100.0).await;
    let text = rig::yaml(&engines[..1], "", &admin());
    std::fs::write(&file, &text).expect("written");
    let gateway = rig::start_reloading(&text, &file).await;
    let entry = format!("name: added\nurl: {}\n", engines[1].url());
    let added = ask(&gateway, "POST", "/admin/endpoints", ADMIN, &entry).await;
    assert_eq!(added.status, 201);
    let without = rig::yaml(&[], "", &admin());
    std::fs::write(&file, without).expect("written");
    until(&gateway, "gateway_reloads_total{result=\"taken\"} 1").await;
    assert_eq!(chat(&gateway).await, 200);
    assert!(
        gateway
            .metrics()
            .contains("gateway_endpoints{source=\"admin\",state=\"listed\"} 1")
    );
}

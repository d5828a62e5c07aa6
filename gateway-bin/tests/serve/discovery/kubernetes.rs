//! A cluster's pods and slices as endpoints, its API server's answers taken from `testdata/kubernetes`.

use std::net::{Ipv4Addr, SocketAddr};

use futures_util::future::join_all;
use gateway_bin::{Options, Running};
use gateway_sim::{
    engine::{RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
};
use serde_json::json;

use super::{
    api_server::{ApiServer, Watch},
    help::{ask, candidate, explained, until, until_all_left},
    recorded::{answer, events},
    within,
};
use crate::rig::{self, KEY};

const A: &str = "cluster/vllm-7c9f6d5b8f-2kq8z";
const B: &str = "cluster/vllm-7c9f6d5b8f-9xw4t";
const C: &str = "cluster/vllm-7c9f6d5b8f-m5jrd";

async fn engine(address: SocketAddr) -> Option<RunningEngine> {
    let chip = ChipProfile::named("8b-h100").expect("a known chip");
    let config = SimConfig {
        listen: address,
        ..SimConfig::new("m", chip)
    };
    SimEngine::start(config).await.ok()
}

/// Engines at 127.0.0.2 and 127.0.0.3, at one port that is free at both.
async fn engines() -> (u16, [RunningEngine; 2]) {
    for _ in 0..32 {
        let at = |last: u8, port| SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), port));
        let first = engine(at(2, 0)).await.expect("an engine");
        let port = first.addr().port();
        if let Some(second) = engine(at(3, port)).await {
            return (port, [first, second]);
        }
    }
    panic!("no port is free at both addresses");
}

/// The API server, which answers what the test says, and the gateway, once it has had a list.
struct Cluster {
    api: ApiServer,
    port: u16,
    gateway: Running,
    _engines: [RunningEngine; 2],
}

impl Cluster {
    async fn start(resource: &str, first: &[(u16, &str)]) -> Self {
        let (api, (port, engines)) = (ApiServer::start().await, engines().await);
        let more = format!(
            "discovery: {{kubernetes: [{{name: cluster, server: \"http://{}\", namespace: ml, selector: app=vllm, \
             resource: {resource}, port: http, endpoint: {{kind: vllm, models: [m]}}}}]}}\nhealth: {{slow_start: 0s}}\n",
            api.addr()
        );
        let text = rig::yaml(&[], "", &more);
        let answers = async {
            for &(status, file) in first {
                let asked = api.next().await;
                assert!(!asked.path.contains("watch="), "{}", asked.path);
                asked.answer(status, &answer(file, port)).await;
            }
        };
        let (gateway, ()) = tokio::join!(rig::start(&text, Options::default()), answers);
        Self {
            api,
            port,
            gateway,
            _engines: engines,
        }
    }

    async fn answers(&self, status: u16, file: &str) {
        let asked = self.api.next().await;
        asked.answer(status, &answer(file, self.port)).await;
    }

    /// The next request, which must be a watch from `version` on.
    async fn watched(&self, version: &str) -> Watch {
        let asked = self.api.next().await;
        let from = format!("resourceVersion={version}");
        let is_watch = asked.path.contains("watch=1&allowWatchBookmarks=true");
        assert!(is_watch && asked.path.ends_with(&from), "{}", asked.path);
        asked.stream().await
    }

    async fn until_listed(&self, count: usize, state: &str) {
        let line = format!("gateway_endpoints{{source=\"cluster\",state=\"{state}\"}} {count}");
        within(until(&self.gateway, &line)).await;
    }

    async fn served_by(&self) -> String {
        explained(&self.gateway, "hello").await.0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_come_drain_and_go_while_requests_run() {
    let cluster = Cluster::start(
        "pods",
        &[(403, "pods/forbidden.json"), (200, "pods/1-list.json")],
    )
    .await;
    let gateway = &cluster.gateway;
    let mut watch = cluster.watched("81230").await;
    cluster.until_listed(1, "listed").await;
    until(
        gateway,
        "gateway_discovery_failures_total{source=\"cluster\",kind=\"kubernetes\"} 1",
    )
    .await;
    assert_eq!(cluster.served_by().await, A);

    let [waiting, ready, bookmark] = &events("pods/2-watch.jsonl", cluster.port)[..] else {
        panic!("three events");
    };
    watch.send(waiting).await;
    assert_eq!(cluster.served_by().await, A, "it is not ready");
    // Lines come in chunks of any size.
    let (begin, end) = ready.split_at(ready.len() / 3);
    watch.send(begin).await;
    watch.send(end).await;
    cluster.until_listed(2, "listed").await;
    watch.send(bookmark).await;
    watch.end().await;

    // Both are busy when the first one is not ready any more.
    let mut watch = cluster.watched("81302").await;
    let long = json!({"model": "m", "max_tokens": 400, "ignore_eos": true, "messages": [{"role": "user", "content": "hi"}]});
    let long = long.to_string();
    let asked = (0..8).map(|_| ask(gateway, "POST", "/v1/chat/completions", KEY, &long));
    let drained = async {
        for name in ["2kq8z", "9xw4t"] {
            let line = format!(
                "gateway_endpoint_in_flight{{endpoint=\"cluster/vllm-7c9f6d5b8f-{name}\"}}"
            );
            let busy = async {
                let is_busy = |text: &str| {
                    text.strip_prefix(&line)
                        .is_some_and(|count| count.trim() != "0")
                };
                while !gateway.metrics().lines().any(is_busy) {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            };
            within(busy).await;
        }
        let [unready, deleting, deleted, expired] = &events("pods/3-watch.jsonl", cluster.port)[..]
        else {
            panic!("four events");
        };
        watch.send(unready).await;
        cluster.until_listed(1, "leaving").await;
        assert_ne!(cluster.served_by().await, A, "it gets no new requests");
        for event in [deleting, deleted, expired] {
            watch.send(event).await;
        }
        cluster.answers(200, "pods/4-list.json").await;
        cluster.until_listed(2, "listed").await;
    };
    let (replies, ()) = tokio::join!(join_all(asked), drained);
    for reply in replies {
        assert_eq!(
            (
                reply.status,
                reply.json()["usage"]["completion_tokens"].as_u64()
            ),
            (200, Some(400))
        );
    }
    let watch = cluster.watched("83902").await;
    until_all_left(gateway, "cluster").await;
    drop(watch);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_at_the_same_address_begins_with_an_empty_index() {
    let cluster = Cluster::start("pods", &[(200, "pods/4-list.json")]).await;
    let gateway = &cluster.gateway;
    // A version that is gone before the watch has begun.
    cluster.answers(410, "pods/gone.json").await;
    cluster.answers(200, "pods/4-list.json").await;
    let mut watch = cluster.watched("83902").await;
    let [restarted, bookmark, deleted, added] = &events("pods/5-watch.jsonl", cluster.port)[..]
    else {
        panic!("four events");
    };
    let prompt = "the same words again and again ".repeat(100);
    // Whoever serves it first holds it, and both do in the end.
    let held = |endpoint: &'static str| {
        let prompt = &prompt;
        async move {
            let (_, record) = explained(gateway, prompt).await;
            candidate(&record, endpoint)?["cached"]["own"].as_u64()
        }
    };
    let fill = || async {
        while held(C).await.is_none_or(|tokens| tokens == 0) {
            let asked = (0..8).map(|_| explained(gateway, &prompt));
            join_all(asked).await;
        }
    };
    within(fill()).await;
    watch.send(restarted).await;
    watch.send(bookmark).await;
    let dropped = || async { while held(C).await != Some(0) {} };
    within(dropped()).await;
    within(fill()).await;
    watch.send(deleted).await;
    watch.send(added).await;
    within(dropped()).await;
    watch.end().await;
    drop(cluster.watched("84029").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_list_who_is_ready_behind_a_service() {
    let cluster = Cluster::start("endpoint_slices", &[(200, "slices/1-list.json")]).await;
    let mut watch = cluster.watched("81230").await;
    cluster.until_listed(1, "listed").await;
    assert_eq!(cluster.served_by().await, A);
    for event in events("slices/2-watch.jsonl", cluster.port) {
        watch.send(&event).await;
    }
    cluster.until_listed(2, "listed").await;
    drop(watch);
    let mut watch = cluster.watched("81302").await;
    let events = events("slices/3-watch.jsonl", cluster.port);
    watch.send(&events[0]).await;
    cluster.until_listed(1, "listed").await;
    assert_ne!(cluster.served_by().await, A);
    watch.send(&events[1]).await;
    cluster.until_listed(2, "listed").await;
    let (_, record) = explained(&cluster.gateway, "hello").await;
    let listed = candidate(&record, C)
        .or(candidate(&record, B))
        .expect("one of them");
    assert_eq!(listed["source"], "cluster");
    watch.send(&events[2]).await;
    cluster.answers(200, "slices/1-list.json").await;
    cluster.until_listed(1, "listed").await;
}

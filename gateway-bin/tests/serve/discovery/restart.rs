//! Engines that are killed and started again, as processes.

use std::{
    io::{BufRead as _, BufReader},
    process,
    time::Duration,
};

use gateway_bin::{Options, Running};

use super::{
    help::{ADMIN, admin, ask, candidate, chat, explained, until, until_all_left},
    within,
};
use crate::{
    child::{Child, gateway},
    rig::{self, Plan, Rig},
};

/// A simulated engine of its own at `address`, once it listens; its address.
fn engine(address: &str) -> (Child, String) {
    engine_of("m", address)
}

fn engine_of(model: &str, address: &str) -> (Child, String) {
    let mut command = gateway();
    command.args([
        "sim-engine",
        "--model",
        model,
        "--speed",
        "100",
        "--listen",
        address,
    ]);
    command.stderr(process::Stdio::null());
    let mut child = Child(command.spawn().expect("it starts"));
    let stdout = child.0.stdout.as_mut().expect("piped");
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("a line");
    let at = line
        .split_whitespace()
        .find_map(|word| word.strip_prefix("http://"));
    let at = at.unwrap_or_else(|| panic!("{line}")).trim_end_matches('/');
    (child, at.to_owned())
}

async fn held(gateway: &Running, prompt: &str) -> u64 {
    let (_, record) = explained(gateway, prompt).await;
    let cached = &candidate(&record, "e0").expect("nobody else is left")["cached_tokens"];
    cached.as_u64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_comes_back_as_a_new_process_has_an_empty_index() {
    let (mut first, address) = engine("127.0.0.1:0");
    let more = format!(
        "  - {{name: e0, url: \"http://{address}\"}}\nwatch: {{probe_every: 100ms, telemetry_every: 100ms}}\nhealth: {{slow_start: 0s}}\n"
    );
    let gateway = rig::start(&rig::yaml(&[], "", &more), Options::default()).await;
    let prompt = "the same words again and again ".repeat(100);
    let filled = || async { while held(&gateway, &prompt).await == 0 {} };
    within(filled()).await;

    first.0.kill().expect("killed");
    first.0.wait().expect("ended");
    until(&gateway, "gateway_endpoint_up{endpoint=\"e0\"} 0").await;
    let (_second, again) = engine(&address);
    assert_eq!(again, address);
    until(&gateway, "gateway_endpoint_up{endpoint=\"e0\"} 1").await;
    assert_eq!(
        held(&gateway, &prompt).await,
        0,
        "the first request meets an empty cache"
    );
    within(filled()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_comes_back_is_asked_anew_what_it_serves() {
    let (mut first, address) = engine("127.0.0.1:0");
    let more =
        format!("  - {{name: e0, url: \"http://{address}\"}}\nwatch: {{probe_every: 100ms}}\n");
    let gateway = rig::start(&rig::yaml(&[], "", &more), Options::default()).await;
    assert_eq!(chat(&gateway).await, 200);
    first.0.kill().expect("killed");
    first.0.wait().expect("ended");
    until(&gateway, "gateway_endpoint_up{endpoint=\"e0\"} 0").await;
    let (_second, _) = engine_of("another", &address);
    let body = rig::CHAT.replace("\"m\"", "\"another\"");
    let serves = async {
        while ask(&gateway, "POST", "/v1/chat/completions", rig::KEY, &body)
            .await
            .status
            != 200
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    within(serves).await;
    assert_eq!(chat(&gateway).await, 404, "nobody serves the old one");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_no_longer_listed_ends_what_it_has_begun() {
    let rig = Rig::start(Plan {
        speed: 1.0,
        more: &admin(),
        ..Plan::default()
    })
    .await;
    let extra = rig::engines(1, 1.0).await;
    let gateway = &rig.gateway;
    let entry = format!("{{\"name\": \"extra\", \"url\": \"{}\"}}", extra[0].url());
    assert_eq!(
        ask(gateway, "POST", "/admin/endpoints", ADMIN, &entry)
            .await
            .status,
        201
    );
    assert_eq!(
        ask(gateway, "PUT", "/admin/endpoints/e0/drain", ADMIN, "")
            .await
            .status,
        200
    );
    let long = r#"{"model":"m","max_tokens":300,"ignore_eos":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let begun = ask(gateway, "POST", "/v1/chat/completions", rig::KEY, long);
    let leaves = async {
        while extra[0].stats().running == 0 {
            tokio::task::yield_now().await;
        }
        let gone = ask(gateway, "DELETE", "/admin/endpoints/extra", ADMIN, "")
            .await
            .json();
        let of = |key| gone["endpoints"][1][key].as_str().expect("text");
        assert_eq!((of("name"), of("state")), ("extra", "leaving"));
        assert_eq!(chat(gateway).await, 503, "nobody else takes requests");
    };
    let (reply, ()) = tokio::join!(begun, leaves);
    assert_eq!(
        (
            reply.status,
            reply.json()["usage"]["completion_tokens"].as_u64()
        ),
        (200, Some(300))
    );
    until_all_left(gateway, "admin").await;
}

//! The binary as a process: output, signals, exit codes.

use std::{
    io::{BufRead as _, BufReader},
    process::Output,
};

use crate::{
    child::{Child, file, gateway},
    wire::get,
};

fn ran(args: &[&str]) -> (bool, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = gateway().args(args).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (status.success(), text(stdout), text(stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_serves_what_it_prints_and_ends_on_a_signal() {
    let mut demo = Child(
        gateway()
            .args(["demo", "--listen", "127.0.0.1:0"])
            .spawn()
            .expect("it starts"),
    );
    let mut lines = BufReader::new(demo.0.stdout.take().expect("piped")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    let first = next();
    let address = first
        .rsplit("http://")
        .next()
        .and_then(|text| text.parse().ok())
        .expect("an address");
    let key = loop {
        if let Some((_, key)) = next().split_once("key ") {
            break key.to_owned();
        }
    };
    let models = get(address, "/v1/models", &[("x-api-key", &key)]).await;
    assert!(models.body.contains("\"demo\""), "{models:?}");
    demo.signal("-TERM");
    let (well, log) = demo.end();
    assert!(well, "a drain ends with 0");
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "JSON lines: {log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_holds_nothing_up() {
    let (_folder, file) = file("listen: 127.0.0.1:0\nlog: {format: json}\n");
    let (child, address) = Child::serve(&file);
    // More than any pipe holds.
    let long = format!("/{}", "x".repeat(16_000));
    for _ in 0..100 {
        assert_eq!(get(address, &long, &[]).await.status, 404);
    }
    child.signal("-TERM");
    // The log is read only after the end.
    let (well, log) = tokio::task::spawn_blocking(|| child.end())
        .await
        .expect("no panic");
    assert!(well && log.contains("refused"));
}

#[test]
fn check_says_what_is_wrong_and_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("gateway.yaml");
    let path = file.to_str().expect("text");
    std::fs::write(&file, "endpoints:\n  - {name: a, url: \"http://a:1\"}\n").expect("written");
    let (fine, said, _) = ran(&["check", path]);
    assert!(fine && said.contains("1 endpoints"), "{said}");
    std::fs::write(&file, "pipeline:\n  scorers: [least-request]\n").expect("written");
    let (fine, _, said) = ran(&["check", path]);
    assert!(
        !fine
            && said.contains(
                "gateway.yaml:2:13: pipeline.scorers[0]: unknown scorer `least-request`; known: "
            ),
        "{said}"
    );
    let (fine, _, said) = ran(&["check", "/does/not/exist"]);
    assert!(!fine && said.contains("cannot read the file"), "{said}");
}

#[test]
fn a_key_and_its_hash_belong_together() {
    let (_, said, _) = ran(&["hash-key"]);
    let word = |label: &str| {
        said.lines()
            .find_map(|line| line.strip_prefix(label))
            .expect(label)
            .trim()
            .to_owned()
    };
    let (_, again, _) = ran(&["hash-key", &word("key:")]);
    assert_eq!(again.trim(), format!("hash: {}", word("hash:")));
}

#[test]
fn the_schema_is_json() {
    let (fine, said, _) = ran(&["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&said).expect("json");
    assert!(fine && schema["properties"]["endpoints"].is_object());
}

#[test]
fn a_taken_port_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let (fine, _, said) = ran(&["demo", "--listen", &address]);
    assert!(!fine && said.contains("cannot listen on"), "{said}");
}

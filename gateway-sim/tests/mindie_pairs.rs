//! MindIE's pairs as a coordinator sees them.

use std::time::Duration;

use gateway_sim::engine::{
    Flavour, RunningEngine, SimConfig, SimEngine, TransferConfig, TransferRole,
};
use gateway_sim::model::ChipProfile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn engine(role: TransferRole) -> RunningEngine {
    let chip = ChipProfile::named("8b-h100").expect("a known profile");
    let mut config = SimConfig::new("m", chip);
    config.flavour = Flavour::Mindie;
    config.time_scale = 100.0;
    config.transfer = Some(TransferConfig {
        role,
        ..TransferConfig::default()
    });
    SimEngine::start(config).await.expect("started")
}

/// Sends one request and reads until `enough` says so.
async fn ask(socket: &mut TcpStream, request: &str, enough: impl Fn(&str) -> bool) -> String {
    socket.write_all(request.as_bytes()).await.expect("sent");
    read(socket, enough).await
}

async fn read(socket: &mut TcpStream, enough: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    while !enough(&text) {
        let read = timeout(Duration::from_secs(20), socket.read(&mut buffer));
        let count = read.await.expect("in time").expect("it lives");
        assert!(count > 0, "it ended: {text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    text
}

fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: e\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

#[tokio::test]
async fn the_first_token_comes_from_one_engine_and_the_rest_among_all_answers_of_the_other() {
    let (p, d) = (
        engine(TransferRole::Prefill).await,
        engine(TransferRole::Decode).await,
    );
    let mut listening = TcpStream::connect(d.addr()).await.expect("it listens");
    let head = ask(
        &mut listening,
        "GET /dresult HTTP/1.1\r\nhost: d\r\n\r\n",
        |text| text.contains("\r\n\r\n"),
    )
    .await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let port = d.transfer_addr().expect("it takes part").port();
    let headers = format!("req-type: prefill\r\nreq-id: a1\r\nd-target: 127.0.0.1;{port}\r\n");
    let body =
        r#"{"input_id":[1,2,3,4],"stream":true,"parameters":{"max_new_tokens":5,"details":true}}"#;
    let mut asking = TcpStream::connect(p.addr()).await.expect("it listens");
    let told = ask(&mut asking, &post("/infer_token", &headers, body), |text| {
        text.contains("isStream")
    })
    .await;
    assert!(
        told.contains(r#""reqId":"a1""#) && told.contains(r#""isLastResp":false"#),
        "{told}"
    );
    let said = read(&mut listening, |text| text.contains("lastData:")).await;
    assert!(said.contains("reqId:a1\0data:data: {"), "{said:?}");
    assert_eq!(d.stats().pulls, 1);
    assert_eq!(p.stats().blocks_held, 0);
    let said = read(&mut listening, |text| text.contains("ka:heartbeat\0")).await;
    assert!(!said.contains("a1"), "{said:?}");
}

#[tokio::test]
async fn halves_refuse_what_is_not_theirs() {
    let (p, d) = (
        engine(TransferRole::Prefill).await,
        engine(TransferRole::Decode).await,
    );
    let body = r#"{"inputs":"hi","parameters":{}}"#;
    for (engine, headers, words) in [
        (&p, "", "DMI request must have"),
        (&d, "", "only to the prefill node"),
        (
            &p,
            "req-type: prefill\r\nreq-id: xyz\r\nd-target: 127.0.0.1;1\r\n",
            "Invalid req-id",
        ),
        (
            &p,
            "req-type: prefill\r\nreq-id: 1\r\nd-target: d\r\n",
            "must be an IPv4 address",
        ),
        (
            &p,
            "req-type: prefill\r\nreq-id: 1\r\nd-target: 127.0.0.1;1\r\n",
            "Send D request failed",
        ),
    ] {
        let mut socket = TcpStream::connect(engine.addr()).await.expect("it listens");
        let told = ask(&mut socket, &post("/infer", headers, body), |text| {
            text.contains("error_type")
        })
        .await;
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(p.stats().blocks_held, 0);
}

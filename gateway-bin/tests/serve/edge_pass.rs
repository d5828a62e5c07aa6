//! Routes that engines speak themselves: streams as they came, and broken ones ended in the words of their API.

use std::{net::SocketAddr, sync::Arc};

use gateway_bin::{Options, Running};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    edge_rig::{MESSAGES, RESPONSES, folder, models, post},
    rig, wire,
};

const OPENING: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"a\",\"usage\":{\"input_tokens\":7,\"cache_read_input_tokens\":2,\"output_tokens\":1}}}\n\n\
    event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n";
const CLOSING: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":5}}\n\n\
    event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
const DELTA: &str = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"hi\"}\n\n";

/// An engine that answers every POST with `reply` of this type, and everything else with 200.
async fn engine(kind: &'static str, reply: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let reply = Arc::new(reply);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, kind, Arc::clone(&reply)));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, kind: &'static str, reply: Arc<String>) {
    let mut read = Vec::new();
    while !is_whole(&read) {
        if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let body = if read.starts_with(b"POST") {
        reply.as_str()
    } else {
        "{}"
    };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap_or_default();
    stream.write_all(body.as_bytes()).await.unwrap_or_default();
}

/// Whether head and announced body are there.
fn is_whole(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    let length = head
        .split_once("content-length: ")
        .and_then(|(_, rest)| rest.lines().next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

async fn gateway(engine: SocketAddr) -> Running {
    gateway_before(engine, "vllm").await
}

async fn gateway_before(engine: SocketAddr, kind: &str) -> Running {
    let text = rig::yaml(
        &[],
        "",
        &format!(
            "  - {{name: e, url: \"http://{engine}\", kind: {kind}, models: [m]}}\nmodels:\n  - name: m\n    pass_through: [messages, responses]\n"
        ),
    );
    rig::start(&text, Options::default()).await
}

/// The reply to a streamed request on `path`, and the gateway.
async fn streamed(path: &str, reply: String) -> (String, Running) {
    let gateway = gateway(engine("text/event-stream", reply).await).await;
    let body = json!({"model": "m", "max_tokens": 9, "stream": true, "input": "x",
        "messages": [{"role": "user", "content": "x"}], "unheard_of": {"a": 1}});
    let reply = post(gateway.addr(), path, &[], body.to_string()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    (dechunked(&reply.body), gateway)
}

/// The data of a chunked body.
fn dechunked(body: &str) -> String {
    let (mut rest, mut out) = (body, String::new());
    while let Some((size, data)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        out.push_str(&data[..size]);
        rest = data[size..].trim_start_matches("\r\n");
    }
    out
}

fn counts(gateway: &Running, line: &str) -> bool {
    gateway.metrics().lines().any(|found| found == line)
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_messages_pass_and_are_counted() {
    let stream = format!("{OPENING}{CLOSING}");
    let (told, gateway) = streamed(MESSAGES, format!("{stream}data: [DONE]\n\n")).await;
    assert_eq!(told, stream);
    assert!(
        counts(&gateway, "gateway_prompt_tokens_total{model=\"m\"} 9"),
        "{}",
        gateway.metrics()
    );
    assert!(counts(
        &gateway,
        "gateway_cached_tokens_total{model=\"m\"} 2"
    ));
    assert!(counts(
        &gateway,
        "gateway_completion_tokens_total{model=\"m\"} 5"
    ));
    assert!(counts(
        &gateway,
        "gateway_endpoint_requests_total{endpoint=\"e\",outcome=\"completed\"} 1"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_streams_end_in_the_words_of_their_api() {
    let overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    let (broken_off, gateway) = streamed(MESSAGES, OPENING.to_owned()).await;
    assert!(counts(
        &gateway,
        "gateway_endpoint_requests_total{endpoint=\"e\",outcome=\"broken\"} 1"
    ));
    let (failed, _gateway) = streamed(MESSAGES, format!("{OPENING}{overloaded}")).await;
    for told in [&broken_off, &failed] {
        let rest = told.strip_prefix(OPENING).expect("what came");
        assert!(
            rest.starts_with("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\""),
            "{rest}"
        );
        assert!(
            rest.ends_with("\n\n") && !rest.contains("message_stop"),
            "{rest}"
        );
    }
    assert!(failed.contains("Overloaded"), "{failed}");
    let (told, _gateway) = streamed(RESPONSES, DELTA.to_owned()).await;
    let rest = told.strip_prefix(DELTA).expect("what came");
    assert!(
        rest.starts_with("event: error\ndata: {") && rest.contains("\"type\":\"error\""),
        "{rest}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_replies_are_counted_too() {
    let reply =
        json!({"type": "message", "content": [], "usage": {"input_tokens": 3, "output_tokens": 4}});
    let gateway = gateway(engine("application/json", reply.to_string()).await).await;
    let body =
        json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]});
    let told = post(gateway.addr(), MESSAGES, &[], body.to_string()).await;
    assert_eq!(told.json(), reply);
    assert!(
        counts(&gateway, "gateway_completion_tokens_total{model=\"m\"} 4"),
        "{}",
        gateway.metrics()
    );
    let failed = json!({"object": "response", "status": "failed", "error": {"code": "x", "message": "It broke"}});
    let gateway = self::gateway(engine("application/json", failed.to_string()).await).await;
    let told = post(
        gateway.addr(),
        RESPONSES,
        &[],
        json!({"model": "m", "input": "x"}).to_string(),
    )
    .await;
    assert!(told.status >= 500, "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn native_streams_pass_and_are_counted() {
    let capture = include_str!("../../../gateway-proto/testdata/sglang/generate_ids_stream.txt");
    let stream = &capture[capture.find("data: ").expect("a stream")..];
    let engine = engine("text/event-stream", stream.to_owned()).await;
    let gateway = gateway_before(engine, "sglang").await;
    let body = json!({"input_ids": [9707, 11, 9273, 0], "stream": true});
    let reply = post(gateway.addr(), "/generate", &[], body.to_string()).await;
    assert_eq!(dechunked(&reply.body), stream, "the only model is meant");
    assert!(
        counts(&gateway, "gateway_prompt_tokens_total{model=\"m\"} 4"),
        "{}",
        gateway.metrics()
    );
    assert!(counts(
        &gateway,
        "gateway_completion_tokens_total{model=\"m\"} 4"
    ));
    assert!(counts(
        &gateway,
        "gateway_time_to_first_token_seconds_count{model=\"m\"} 1"
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_are_counted_by_engines_that_can() {
    let body = json!({"model": "m", "system": "s", "messages": [{"role": "user", "content": "x"}]})
        .to_string();
    let path = "/v1/messages/count_tokens";
    let translated = |engine: SocketAddr| async move {
        let more = format!("  - {{name: e, url: \"http://{engine}\", kind: vllm, models: [m]}}\n");
        rig::start(&rig::yaml(&[], "", &more), Options::default()).await
    };
    let able = translated(
        engine(
            "application/json",
            json!({"count": 12, "tokens": []}).to_string(),
        )
        .await,
    )
    .await;
    let told = post(able.addr(), path, &[], &body).await;
    assert_eq!(told.json(), json!({"input_tokens": 12}));
    let unable = translated(engine("application/json", "{}".to_owned()).await).await;
    let told = post(unable.addr(), path, &[], &body).await;
    assert_eq!(
        (told.status, &told.json()["type"]),
        (501, &json!("error")),
        "{told:?}"
    );
    let own =
        gateway(engine("application/json", json!({"input_tokens": 3}).to_string()).await).await;
    assert_eq!(
        post(own.addr(), path, &[], &body).await.json(),
        json!({"input_tokens": 3})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_and_scores_are_passed_on_and_their_bodies_checked() {
    let reply =
        json!({"object": "list", "data": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}});
    let gateway = gateway(engine("application/json", reply.to_string()).await).await;
    for (path, good, bad, member) in [
        (
            "/v1/embeddings",
            json!({"model": "m", "input": ["a"]}),
            json!({"model": "m", "input": 7}),
            "input",
        ),
        (
            "/v1/embeddings",
            json!({"model": "m", "input": [1, 2]}),
            json!({"input": "a"}),
            "model",
        ),
        (
            "/v1/rerank",
            json!({"query": "q", "documents": ["a"]}),
            json!({"documents": ["a"]}),
            "query",
        ),
        (
            "/rerank",
            json!({"query": "q", "documents": ["a"]}),
            json!({"query": "q", "documents": []}),
            "documents",
        ),
        (
            "/v1/score",
            json!({"text_1": "q", "text_2": "a"}),
            json!({"text_1": "q"}),
            "text_2",
        ),
        (
            "/score",
            json!({"text_1": "q", "text_2": ["a"]}),
            json!({"text_1": 7, "text_2": "a"}),
            "text_1",
        ),
    ] {
        let told = post(gateway.addr(), path, &[], good.to_string()).await;
        assert_eq!((told.status, told.json()), (200, reply.clone()), "{path}");
        let told = post(gateway.addr(), path, &[], bad.to_string()).await;
        assert_eq!(
            (told.status, told.error().1.as_deref()),
            (400, Some(member)),
            "{path}: {told:?}"
        );
    }
    assert!(counts(
        &gateway,
        "gateway_requests_total{api=\"rerank\",model=\"m\",status=\"200\"} 2"
    ));
    let keyless = wire::request("POST", "/v1/embeddings", &[], b"{}");
    assert_eq!(wire::exchange(gateway.addr(), &keyless).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_engine_cannot_do_is_named_as_the_caller_names_it() {
    let engine = engine("application/json", "{}".to_owned()).await;
    let endpoint = format!(
        "  - {{name: e, url: \"http://{engine}\", kind: mindie, models: [m]}}\n{}",
        models(&folder(), "")
    );
    let text = rig::yaml(&[], "", &endpoint);
    let gateway = rig::start(&text, Options::default()).await;
    let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
    let format = json!({"type": "json_schema", "name": "x", "schema": schema});
    let body = json!({"model": "m", "input": "x", "text": {"format": format}});
    let reply = post(gateway.addr(), RESPONSES, &[], body.to_string()).await;
    let (code, param) = reply.error();
    assert_eq!((reply.status, &*code), (400, "unsupported_by_engine"));
    assert_eq!(param.as_deref(), Some("text.format"), "{reply:?}");
}

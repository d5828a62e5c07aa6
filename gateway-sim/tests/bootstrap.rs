//! `SGLang`'s pairs.

mod support;

use std::time::Duration;

use gateway_sim::engine::{
    FaultKind, FaultSpec, Flavour, RunningEngine, SimConfig, TransferConfig, TransferRole,
};
use serde_json::{Value, json};
use support::*;

async fn engine(role: TransferRole) -> RunningEngine {
    start(SimConfig {
        flavour: Flavour::Sglang,
        transfer: Some(TransferConfig {
            role,
            ..TransferConfig::default()
        }),
        // 300 seconds are three.
        time_scale: 100.0,
        ..config()
    })
    .await
}

async fn pair() -> (RunningEngine, RunningEngine) {
    (
        engine(TransferRole::Prefill).await,
        engine(TransferRole::Decode).await,
    )
}

fn body(prefill: &RunningEngine, room: u64, stream: bool) -> Value {
    let addr = prefill.transfer_addr().expect("it takes part");
    let ids: Vec<u32> = (900..1_000).collect();
    json!({"input_ids": ids, "stream": stream, "bootstrap_host": addr.ip().to_string(),
        "bootstrap_port": addr.port(), "bootstrap_room": room,
        "sampling_params": {"max_new_tokens": 8, "ignore_eos": true}})
}

async fn generate(engine: &RunningEngine, body: &Value) -> Reply {
    fetch(engine, post("/generate", body)).await
}

#[tokio::test]
async fn both_legs_get_one_body_and_the_decode_leg_answers() {
    let (p, d) = pair().await;
    let whole = start(config()).await;
    let ids: Vec<u32> = (900..1_000).collect();
    let alone = json!({"model": "demo", "prompt": ids, "max_tokens": 8, "ignore_eos": true, "return_token_ids": true});
    let alone = fetch(&whole, post("/v1/completions", &alone)).await.json();
    for (room, stream) in [(1_u64 << 62, false), (7, true)] {
        let body = body(&p, room, stream);
        let (prefilled, decoded) = tokio::join!(generate(&p, &body), generate(&d, &body));
        let last = |reply: Reply| match stream {
            true => reply.chunks().pop().expect("events"),
            false => reply.json(),
        };
        assert_eq!(last(prefilled)["meta_info"]["completion_tokens"], 1);
        assert_eq!(
            last(decoded)["output_ids"],
            alone["choices"][0]["token_ids"]
        );
    }
    assert_eq!((d.stats().pulls, d.stats().pulls_spoilt), (2, 0));
    let info = fetch(&p, get("/server_info")).await.json();
    assert_eq!(info["disaggregation_mode"], "prefill");
    let page = fetch(&d, get("/metrics")).await.text();
    assert!(page.contains("sglang:num_running_reqs{engine_type=\"decode\""));
}

#[tokio::test]
async fn a_request_without_a_room_is_refused() {
    let (p, d) = pair().await;
    for engine in [&p, &d] {
        let mut body = body(&p, 1, false);
        body["bootstrap_room"] = Value::Null;
        let reply = generate(engine, &body).await;
        assert_eq!(reply.status, 400);
        assert!(
            reply
                .text()
                .contains("Disaggregated request received without")
        );
    }
}

#[tokio::test]
async fn a_leg_whose_partner_never_comes_waits_until_its_time_is_over() {
    let (p, d) = pair().await;
    let alone = body(&p, 3, false);
    let waiting = tokio::time::timeout(Duration::from_millis(100), generate(&p, &alone)).await;
    assert!(waiting.is_err(), "it waits");
    let (one, other) = (body(&p, 4, false), body(&p, 5, false));
    let (prefill, decode) = tokio::join!(generate(&p, &one), generate(&d, &other));
    assert_eq!(
        (prefill.status.as_u16(), decode.status.as_u16()),
        (500, 500)
    );
    assert!(prefill.text().contains("Prefill bootstrap failed"));
    assert!(
        decode
            .text()
            .contains("timed out after 300s in KVPoll.WaitingForInput")
    );
    let streamed = generate(&p, &body(&p, 6, true)).await.chunks();
    assert_eq!(streamed[0]["meta_info"]["finish_reason"]["type"], "abort");
    assert_eq!(
        streamed[0]["meta_info"]["finish_reason"]["status_code"],
        500
    );
}

#[tokio::test]
async fn failures_are_told_in_sglangs_words() {
    let (p, d) = pair().await;
    p.inject(FaultSpec::new(FaultKind::TransferFailed).times(1));
    let both = body(&p, 8, false);
    let (prefill, decode) = tokio::join!(generate(&p, &both), generate(&d, &both));
    assert!(prefill.text().contains("Prefill transfer failed"));
    assert!(decode.text().contains("Decode transfer failed"));
    assert_eq!(decode.json()["object"], "error");
    d.inject(FaultSpec::new(FaultKind::TransferFailed).times(1));
    assert_eq!(generate(&d, &both).await.status, 500);
    let dying = body(&p, 9, false);
    let decode = async {
        let reply = generate(&d, &dying);
        let killer = async {
            until(|| d.stats().requests == 3).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            p.inject(FaultSpec::new(FaultKind::Die));
        };
        tokio::join!(reply, killer).0
    };
    assert!(
        decode
            .await
            .text()
            .contains("Lost connection with prefill instance")
    );
    let late = generate(&d, &dying).await;
    assert!(late.text().contains("Decode handshake failed"));
}

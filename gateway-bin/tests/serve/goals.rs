//! What callers ask of timing, what is predicted and told of it, and what of it is kept.

use std::fs;

use serde_json::Value;

use crate::{
    child::{Child, file},
    rig::{self, CHAT, KEY, Plan, Rig},
    wire::{exchange, request},
};

/// A chat of some thousand tokens.
fn long() -> String {
    CHAT.replace("hello", &"hello ".repeat(4_000))
}

fn stream() -> String {
    CHAT.replacen(
        '{',
        "{\"stream\":true,\"stream_options\":{\"include_usage\":true},",
        1,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_make_no_sense_are_refused_by_name() {
    let rig = Rig::start(Plan::default()).await;
    for (name, value) in [
        ("x-gateway-ttft-ms", "soon"),
        ("x-gateway-tpot-ms", "-1"),
        ("x-gateway-deadline-ms", "0"),
        ("x-gateway-priority", "101"),
    ] {
        let refused = rig.chat(&[(name, value)], CHAT).await;
        assert_eq!(refused.status, 400);
        assert_eq!(
            refused.error(),
            ("invalid_header".into(), Some(name.into()))
        );
        assert!(refused.body.contains(value), "{}", refused.body);
    }
    let good = [("x-gateway-ttft-ms", "300"), ("x-gateway-priority", "-20")];
    assert_eq!(rig.chat(&good, CHAT).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_come_in_time_is_refused_and_counted() {
    let rig = Rig::start(Plan {
        more: "models: [{name: m, objectives: {deadline: 5ms}}]\nobjectives: {deadline: 1h}\n",
        ..Plan::default()
    })
    .await;
    let late = rig.chat(&[], long()).await;
    assert_eq!(
        (late.status, late.error().0.as_str()),
        (429, "deadline_unreachable")
    );
    assert!(
        !late.headers.contains_key("retry-after"),
        "no wait makes the prompt shorter: {late:?}"
    );
    let patient = rig
        .chat(&[("x-gateway-deadline-ms", "3600000")], long())
        .await;
    assert_eq!(patient.status, 200, "the caller's word counts first");
    let page = rig.gateway.metrics();
    assert!(
        page.contains("gateway_deadline_refusals_total{model=\"m\"} 1\n"),
        "{page}"
    );
    assert!(page.contains("model=\"m\",status=\"429\"} 1\n"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_passes_is_told_with_the_time_until_then() {
    let rig = Rig::start(Plan {
        speed: 0.01,
        ..Plan::default()
    })
    .await;
    let address = rig.addr();
    let ahead = tokio::spawn(async move {
        let headers = [("x-api-key", KEY)];
        let body = CHAT.replace("hello", &"hello ".repeat(100_000));
        exchange(
            address,
            &request("POST", "/v1/chat/completions", &headers, body.as_bytes()),
        )
        .await
    });
    while rig.engines[0].stats().requests == 0 {
        tokio::task::yield_now().await;
    }
    let late = rig.chat(&[("x-gateway-deadline-ms", "200")], CHAT).await;
    assert_eq!(late.status, 429, "{late:?}");
    let wait: u64 = late.headers["retry-after"].parse().expect("seconds");
    assert!(wait >= 1);
    let message = late.json()["error"]["message"].to_string();
    assert!(message.contains("Try again later"), "{message}");
    ahead.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_explanation_shows_what_was_predicted_of_each() {
    let rig = Rig::start(Plan {
        engines: 2,
        ..Plan::default()
    })
    .await;
    // The second time the prompt is believed to be cached where it went the first time.
    rig.chat(&[], long()).await;
    let told = rig.chat(&[("x-gateway-explain", "1")], long()).await;
    let record: Value = serde_json::from_str(&told.headers["x-gateway-decision"]).expect("json");
    let candidates = record["candidates"].as_array().expect("a list");
    let number = |of: &Value, key: &str| of[key].as_f64().expect("a number");
    for one in candidates {
        let forecast = &one["forecast"];
        assert!(
            number(forecast, "ttft_ms") > 0.0 && number(forecast, "wait_ms") >= 0.0,
            "{one}"
        );
        assert!(number(forecast, "interference_ms") >= 0.0 && forecast["occupancy"].is_number());
        assert_eq!(
            one["cached"]["own"], one["cached_tokens"],
            "no events here: {one}"
        );
    }
    let cached: Vec<f64> = candidates
        .iter()
        .map(|one| number(one, "cached_tokens"))
        .collect();
    let prefill = |at: usize| number(&candidates[at]["forecast"], "prefill_ms");
    let warm = usize::from(cached[1] > cached[0]);
    assert!(cached[warm] > 1_000.0, "{record}");
    assert!(prefill(warm) < prefill(1 - warm), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_sets_predictions_beside_what_happened() {
    let rig = Rig::start(Plan::default()).await;
    assert_eq!(rig.chat(&[], stream()).await.status, 200);
    let page = rig.gateway.metrics();
    for sample in [
        "gateway_endpoint_ttft_ratio_count{endpoint=\"e0\"} 1\n",
        "gateway_endpoint_ttft_ratio_bucket{endpoint=\"e0\",le=\"+Inf\"} 1\n",
        "gateway_endpoint_drifts_total{endpoint=\"e0\"} 0\n",
        "gateway_endpoint_time_factor{endpoint=\"e0\",part=\"decode\"} ",
        "gateway_endpoint_predicted_wait_seconds{endpoint=\"e0\"} 0\n",
    ] {
        assert!(page.contains(sample), "{sample}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_learned_outlives_the_process_and_a_broken_file_does_not_matter() {
    let engines = rig::engines(1, 100.0).await;
    let kept = tempfile::tempdir().expect("a folder");
    let state = kept.path().join("learned.json");
    let more = format!("state: {{file: \"{}\"}}\n", state.display());
    let (_folder, file) = file(&rig::yaml(&engines, "", &more));
    let said = |lines: &[Value], words: &str| {
        let told = |line: &&Value| {
            line["message"]
                .as_str()
                .is_some_and(|text| text.contains(words))
        };
        lines.iter().filter(told).count()
    };

    let (child, address) = Child::serve(&file);
    let headers = [("x-api-key", KEY), ("x-request-id", "watched")];
    let body = stream();
    let chat = request("POST", "/v1/chat/completions", &headers, body.as_bytes());
    assert_eq!(exchange(address, &chat).await.status, 200);
    let first = child.drain().await;
    assert_eq!(said(&first, "nothing was learned earlier"), 1);
    let of_it =
        |line: &&Value| line["target"] == "gateway::access" && line["request_id"] == "watched";
    let line = first.iter().find(of_it).expect("an access line");
    assert!(
        line["ttft_ms"].is_number() && line["predicted_ttft_ms"].is_number(),
        "{line}"
    );
    assert!(
        line["cached_tokens"].is_number() && line["predicted_cached_tokens"].is_number(),
        "{line}"
    );
    let written: Value = serde_json::from_slice(&fs::read(&state).expect("kept")).expect("JSON");
    assert_eq!(written["outputs"][0]["tokens"], 4.0, "{written}");

    let second = Child::serve(&file).0.drain().await;
    assert_eq!(said(&second, "learned earlier is taken over"), 1);

    fs::write(&state, "{\"version\":1,").expect("written");
    let (child, address) = Child::serve(&file);
    assert_eq!(exchange(address, &chat).await.status, 200);
    let third = child.drain().await;
    assert_eq!(said(&third, "cannot be used and is ignored"), 1);
}

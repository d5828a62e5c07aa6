//! The codecs on the hot path: cost per streamed event, and per request body.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gateway_proto::openai::{Api, RequestView, ViewLimits};
use gateway_proto::prometheus::Scrape;
use gateway_proto::sse::{Decoder, Limits, Relay};

/// One token as vLLM streams it, about 200 bytes.
const EVENT: &str = concat!(
    r#"data: {"id":"chatcmpl-9d3fde659e1f2b5a","object":"chat.completion.chunk","created":1795231230,"#,
    r#""model":"tiny","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}"#,
    "\n\n"
);

fn events(c: &mut Criterion) {
    let mut group = c.benchmark_group("sse");
    group.throughput(Throughput::Bytes(EVENT.len() as u64));
    let mut decoder = Decoder::new(Limits::default());
    group.bench_function("decoder/event", |b| {
        b.iter(|| {
            decoder.feed(black_box(EVENT.as_bytes()));
            decoder.next_event().expect("within the limit")
        });
    });
    let chunk = Bytes::from_static(EVENT.as_bytes());
    let mut relay = Relay::new(Limits::default());
    group.bench_function("relay/event", |b| {
        b.iter(|| relay.push(black_box(chunk.clone())))
    });
    let halves = (chunk.slice(..120), chunk.slice(120..));
    group.bench_function("relay/event in two chunks", |b| {
        b.iter(|| (relay.push(halves.0.clone()), relay.push(halves.1.clone())));
    });
    group.finish();
}

/// A chat body of about `bytes` bytes in turns of 500, with the line breaks and quotes of code: an escape every 30 bytes.
fn body(bytes: usize) -> Vec<u8> {
    let turn = r#"    let answer = ask(&mut session, \"what now\", 3).await?;\n    report(answer, &clock)?;\n"#;
    let mut out =
        String::from(r#"{"model": "tiny", "stream": true, "temperature": 0.5, "messages": ["#);
    out += r#"{"role": "system", "content": "You are terse."}"#;
    while out.len() < bytes {
        out += &format!(r#", {{"role": "user", "content": "{}"}}"#, turn.repeat(5));
    }
    out += "], \"max_tokens\": 64}";
    out.into_bytes()
}

/// A chat body of about `bytes` bytes in one message of plain text.
fn plain_body(bytes: usize) -> Vec<u8> {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(bytes / 45);
    format!(
        r#"{{"model":"tiny","messages":[{{"role":"user","content":"{text}"}}],"max_tokens":64}}"#
    )
    .into_bytes()
}

fn requests(c: &mut Criterion) {
    let mut group = c.benchmark_group("request view");
    let limits = ViewLimits::default();
    let bodies = [
        ("1 KB", body(1000)),
        ("20 KB", body(20_000)),
        ("20 KB plain", plain_body(20_000)),
    ];
    for (name, body) in &bodies {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(*name, |b| {
            b.iter(|| {
                RequestView::parse(Api::ChatCompletions, black_box(body), &limits).expect("valid")
            });
        });
    }
    group.finish();
}

fn metrics(c: &mut Criterion) {
    let page = include_bytes!("../../gateway-proto/testdata/vllm/metrics_after.txt");
    let mut group = c.benchmark_group("metrics page");
    group.throughput(Throughput::Bytes(page.len() as u64));
    group.bench_function("vllm", |b| b.iter(|| Scrape::parse(black_box(page), None)));
    group.finish();
}

criterion_group!(benches, events, requests, metrics);
criterion_main!(benches);

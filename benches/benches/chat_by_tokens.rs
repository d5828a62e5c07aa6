//! One streamed chat request of a warm conversation, in token mode and in text mode: the codecs' share, without sockets.
//!
//! Text mode looks at the body, hashes the prompt's bytes and relays the engine's events. Token mode reads the body,
//! renders, tokenizes, hashes the ids, writes the engine's body and turns ids back into chat chunks.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gateway_benches::{Conversation, Model, Prose, ThreadTime};
use gateway_core::hash;
use gateway_proto::dialect::StreamEncoder;
use gateway_proto::engines::{TokenCall, TokenReader, TokenWire};
use gateway_proto::ir::check::{Limits as CheckLimits, check};
use gateway_proto::ir::{Head, Usage};
use gateway_proto::openai::chat::{self, ChatStream};
use gateway_proto::openai::{Api, ReplyOptions, RequestView, ViewLimits};
use gateway_proto::sse::{Limits, Relay};
use gateway_proto::text::model::TextModel;
use gateway_proto::text::template::LocalTime;

/// Tokens of the answer.
const TOKENS: usize = 48;
const BLOCK_BYTES: usize = 256;
const BLOCK_TOKENS: usize = 16;

fn text_chunks() -> Vec<Bytes> {
    let text = Prose::new(6).text(4 * TOKENS);
    let words = gateway_benches::split(&text);
    let chunk = |delta: &str, finish: &str| {
        Bytes::from(format!(
            "data: {{\"id\":\"chatcmpl-9d3fde659e1f2b5a\",\"object\":\"chat.completion.chunk\",\"created\":1795231230,\
             \"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}]}}\n\n"
        ))
    };
    let said = |at: usize| format!("{{\"content\":{:?}}}", words[at % words.len()]);
    let mut chunks: Vec<Bytes> = (0..TOKENS).map(|at| chunk(&said(at), "null")).collect();
    chunks.push(chunk("{}", "\"stop\""));
    chunks.push(Bytes::from_static(b"data: [DONE]\n\n"));
    chunks
}

fn token_chunks(model: &TextModel) -> Vec<Bytes> {
    let text = Prose::new(6).text(16 * TOKENS);
    let mut ids = model.tokenizer().encode(&text, false).expect("encodes");
    ids.truncate(TOKENS);
    ids.push(model.ends()[0]);
    let chunk = |(at, id): (usize, &u32)| {
        let finish = if at == TOKENS { "\"stop\"" } else { "null" };
        Bytes::from(format!(
            "data: {{\"request_id\":\"generate-tokens-b85ab7eae4b032b6\",\"usage\":null,\"output_mode\":\"tokens\",\
             \"choices\":[{{\"index\":0,\"finish_reason\":{finish},\"stop_reason\":null,\"token_ids\":[{id}],\
             \"routed_experts\":null,\"sampling_mask\":null,\"weight_versions\":null,\"logprobs\":null}}]}}\n\n"
        ))
    };
    let mut chunks: Vec<Bytes> = ids.iter().enumerate().map(chunk).collect();
    chunks.push(Bytes::from_static(b"data: [DONE]\n\n"));
    chunks
}

/// Bytes written to the client.
fn by_text(body: &[u8], chunks: &[Bytes]) -> usize {
    let view = RequestView::parse(Api::ChatCompletions, body, &ViewLimits::default())
        .expect("a good body");
    let mut blocks = Vec::new();
    let seed = hash::seed(&[view.model.as_bytes()]);
    hash::hash_bytes(seed, view.prompt_span.of(body), BLOCK_BYTES, &mut blocks);
    black_box(&blocks);
    let mut relay = Relay::new(Limits::default());
    chunks
        .iter()
        .map(|chunk| relay.push(chunk.clone()).forward.len())
        .sum()
}

/// Up to the engine's body.
fn ask(model: &TextModel, body: &[u8]) -> (gateway_proto::text::model::Prepared, TokenCall) {
    let request = chat::decode_request(body).expect("a good body");
    check(&request, &CheckLimits::default()).expect("a good request");
    let mut prepared = model
        .prepare(&request, LocalTime::from_unix(0, 0), 7)
        .expect("fits");
    let prepared = prepared.swap_remove(0);
    let mut call = TokenCall::new(&*request.model, Arc::clone(&prepared.prompt), 512);
    call.sampling = prepared.sampling.clone();
    let mut blocks = Vec::new();
    let seed = hash::seed(&[request.model.as_bytes()]);
    hash::hash_tokens(seed, &call.prompt, BLOCK_TOKENS, &mut blocks);
    black_box(&blocks);
    black_box(TokenWire::VllmGenerate.encode(&call).expect("supported"));
    (prepared, call)
}

/// Bytes written to the client.
fn by_tokens(model: &TextModel, body: &[u8], chunks: &[Bytes]) -> usize {
    let (prepared, call) = ask(model, body);
    let mut wire = TokenReader::new(TokenWire::VllmGenerate, &call, Limits::default());
    let mut reader = prepared.reader(0);
    let mut stream = ChatStream::new(&Head::default(), &ReplyOptions::default());
    let (mut tokens, mut events, mut out, mut written) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for chunk in chunks {
        wire.push(chunk, &mut tokens);
        for token in tokens.drain(..) {
            let _ = reader.push(&token, &mut events);
        }
        for event in events.drain(..) {
            stream.event(&event, &mut out);
        }
        written += out.len();
        out.clear();
    }
    stream.event(&gateway_proto::ir::Event::Usage(Usage::default()), &mut out);
    stream.finish(&mut out);
    written + out.len()
}

fn requests(c: &mut Criterion<ThreadTime>) {
    let body = Conversation::new(7, 12, 20_000).chat_body(11);
    let mut group = c.benchmark_group("chat_by_tokens");
    let relayed = text_chunks();
    group.bench_function("text mode", |b| {
        b.iter(|| by_text(black_box(&body), &relayed))
    });
    for model in [Model::Small, Model::Qwen3] {
        let (name, model) = (model.name(), model.load());
        let chunks = token_chunks(&model);
        group.bench_function(BenchmarkId::new("token mode", name), |b| {
            b.iter(|| by_tokens(&model, black_box(&body), &chunks));
        });
        group.bench_function(
            BenchmarkId::new("token mode, the way to the engine", name),
            |b| {
                b.iter(|| ask(&model, black_box(&body)));
            },
        );
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = requests
}
criterion_main!(benches);

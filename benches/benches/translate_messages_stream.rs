//! Anthropic Messages over an engine that knows token ids alone: the request to a prompt, and the engine's stream to the
//! stream of a message.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gateway_benches::{Conversation, Model, ThreadTime, answers};
use gateway_proto::anthropic::{self, MessageStream};
use gateway_proto::dialect::StreamEncoder;
use gateway_proto::engines::{TokenCall, TokenEvent, TokenFinish, TokenReader, TokenWire};
use gateway_proto::ir::{Event, Head};
use gateway_proto::sse::Limits;
use gateway_proto::text::model::{Prepared, TextModel};
use gateway_proto::text::parse::Family;
use gateway_proto::text::template::LocalTime;

fn prepare(model: &TextModel, body: &[u8]) -> Prepared {
    let request = anthropic::decode_request(body).expect("a good body");
    let mut prepared = model
        .prepare(&request, LocalTime::from_unix(0, 0), 7)
        .expect("fits");
    prepared.swap_remove(0)
}

/// The answer, as ids one by one.
fn tokens(model: &TextModel) -> Vec<TokenEvent> {
    let family = |family| move |answer: &gateway_benches::Answer| answer.family == family;
    let answer = answers()
        .into_iter()
        .find(family(Family::Hermes))
        .expect("there is one");
    let ids = model
        .tokenizer()
        .encode(&answer.text, false)
        .expect("encodes");
    let event = |id| TokenEvent {
        ids: vec![id],
        ..TokenEvent::default()
    };
    let mut events: Vec<TokenEvent> = ids.into_iter().map(event).collect();
    events.push(TokenEvent {
        ids: vec![model.ends()[0]],
        finish: Some(TokenFinish::Stop { token: None }),
        ..TokenEvent::default()
    });
    events
}

/// The same as vLLM streams it, an event for each token.
fn chunks(tokens: &[TokenEvent]) -> Vec<Vec<u8>> {
    let chunk = |event: &TokenEvent| {
        let finish = if event.finish.is_some() {
            "\"stop\""
        } else {
            "null"
        };
        format!(
            "data: {{\"request_id\":\"generate-tokens-b85ab7eae4b032b6\",\"usage\":null,\"output_mode\":\"tokens\",\
             \"choices\":[{{\"index\":0,\"finish_reason\":{finish},\"stop_reason\":null,\"token_ids\":{:?},\
             \"routed_experts\":null,\"sampling_mask\":null,\"weight_versions\":null,\"logprobs\":null}}]}}\n\n",
            event.ids
        )
        .into_bytes()
    };
    let mut chunks: Vec<Vec<u8>> = tokens.iter().map(chunk).collect();
    chunks.push(b"data: [DONE]\n\n".to_vec());
    chunks
}

/// Engine's bytes in, client's bytes out.
struct Translation {
    wire: TokenReader,
    reader: gateway_proto::text::model::Reader,
    stream: MessageStream,
    tokens: Vec<TokenEvent>,
    events: Vec<Event>,
    out: Vec<u8>,
}

impl Translation {
    fn new(prepared: &Prepared) -> Self {
        let call = TokenCall::new("m", Arc::clone(&prepared.prompt), 512);
        Self {
            wire: TokenReader::new(TokenWire::VllmGenerate, &call, Limits::default()),
            reader: prepared.reader(0),
            stream: MessageStream::new(Head::default()),
            tokens: Vec::new(),
            events: Vec::new(),
            out: Vec::new(),
        }
    }

    fn bytes(&mut self, chunk: &[u8]) -> usize {
        self.wire.push(chunk, &mut self.tokens);
        let tokens = std::mem::take(&mut self.tokens);
        let written = tokens.iter().map(|event| self.token(event)).sum();
        self.tokens = tokens;
        self.tokens.clear();
        written
    }

    fn token(&mut self, event: &TokenEvent) -> usize {
        let _ = self.reader.push(event, &mut self.events);
        for event in self.events.drain(..) {
            self.stream.event(&event, &mut self.out);
        }
        let written = self.out.len();
        self.out.clear();
        written
    }
}

fn translate(c: &mut Criterion<ThreadTime>) {
    let body = Conversation::new(4, 12, 20_000).messages_body(11);
    for model in [Model::Small, Model::Qwen3] {
        let (name, model) = (model.name(), model.load());
        let mut group = c.benchmark_group(format!("translate_messages_stream/{name}"));
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("decode the body", |b| {
            b.iter(|| anthropic::decode_request(black_box(&body)).expect("a good body"));
        });
        group.bench_function("body to prompt, warm", |b| {
            b.iter(|| prepare(&model, black_box(&body)))
        });
        let (prepared, tokens) = (prepare(&model, &body), tokens(&model));
        let chunks = chunks(&tokens);
        group.throughput(Throughput::Elements(tokens.len() as u64));
        group.bench_function("tokens to stream", |b| {
            b.iter(|| {
                let mut translation = Translation::new(&prepared);
                tokens
                    .iter()
                    .map(|event| translation.token(event))
                    .sum::<usize>()
            });
        });
        group.bench_function("engine's stream to stream", |b| {
            b.iter(|| {
                let mut translation = Translation::new(&prepared);
                chunks
                    .iter()
                    .map(|chunk| translation.bytes(chunk))
                    .sum::<usize>()
            });
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = translate
}
criterion_main!(benches);

//! A conversation that grows turn by turn: every prompt encoded anew, and with the turns before remembered.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gateway_benches::{Conversation, Model, ThreadTime};
use gateway_proto::openai::chat;
use gateway_proto::text::template::{LocalTime, SpecialTokens, Template, TemplateSource};
use gateway_proto::text::tokenize::{CacheConfig, Tokenizer, TurnCache};

/// The prompts of all turns: 20 of them, the last of about 30 KB.
fn prompts(model: Model) -> Vec<String> {
    let files = model.files();
    let config = files
        .tokenizer_config
        .as_deref()
        .expect("every model here has one");
    let source = TemplateSource::from_files(files.chat_template.as_deref(), Some(config))
        .expect("a template");
    let tokens = SpecialTokens::from_config(config).expect("a sound file");
    let template = Template::compile(source.for_tools(true).expect("a template"), tokens)
        .expect("a sound template");
    let conversation = Conversation::new(2, 20, 30_000);
    let prompt = |turn| {
        let request = chat::decode_request(&conversation.chat_body(turn)).expect("a good body");
        template
            .render(&request, LocalTime::from_unix(0, 0))
            .expect("renders")
    };
    (0..conversation.rounds()).map(prompt).collect()
}

fn tokenizer(model: Model) -> Arc<Tokenizer> {
    let files = model.files();
    let config = files
        .tokenizer_config
        .as_deref()
        .expect("every model here has one");
    Arc::new(Tokenizer::from_files(&files.tokenizer, config).expect("sound files"))
}

fn turns(c: &mut Criterion<ThreadTime>) {
    for model in Model::ALL {
        let (prompts, tokenizer) = (prompts(model), tokenizer(model));
        check(&prompts, &tokenizer);
        let mut group = c.benchmark_group(format!("tokenize_turns/{}", model.name()));
        group.sample_size(10);
        group.throughput(Throughput::Bytes(
            prompts.iter().map(|prompt| prompt.len() as u64).sum(),
        ));
        group.bench_function("plain", |b| {
            b.iter(|| {
                for prompt in &prompts {
                    black_box(tokenizer.encode(prompt, false).expect("encodes"));
                }
            });
        });
        // A fresh cache each time: the first turn is new, and so are each turn's new messages.
        group.bench_function("turn cache", |b| {
            b.iter_batched_ref(
                || TurnCache::new(Arc::clone(&tokenizer), &CacheConfig::default()),
                |cache| {
                    for prompt in &prompts {
                        black_box(cache.encode(prompt, false).expect("encodes"));
                    }
                },
                BatchSize::SmallInput,
            );
        });
        let warm = TurnCache::new(Arc::clone(&tokenizer), &CacheConfig::default());
        let last = prompts.last().expect("there are turns");
        group.throughput(Throughput::Bytes(last.len() as u64));
        group.bench_function("the last prompt again", |b| {
            b.iter(|| warm.encode(black_box(last), false).expect("encodes"));
        });
        group.finish();
    }
}

fn check(prompts: &[String], tokenizer: &Arc<Tokenizer>) {
    let cache = TurnCache::new(Arc::clone(tokenizer), &CacheConfig::default());
    for prompt in prompts {
        let cached = cache.encode(prompt, false).expect("encodes").ids;
        assert_eq!(cached, tokenizer.encode(prompt, false).expect("encodes"));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = turns
}
criterion_main!(benches);

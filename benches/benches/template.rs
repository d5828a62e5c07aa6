//! Rendering a conversation of about 20 KB, tools and all.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gateway_benches::{Conversation, Model, ThreadTime};
use gateway_proto::openai::chat;
use gateway_proto::text::template::{LocalTime, SpecialTokens, Template, TemplateSource};

fn template(model: Model) -> Template {
    let files = model.files();
    let config = files
        .tokenizer_config
        .as_deref()
        .expect("every model here has one");
    let source = TemplateSource::from_files(files.chat_template.as_deref(), Some(config))
        .expect("a template");
    let tokens = SpecialTokens::from_config(config).expect("a sound file");
    Template::compile(source.for_tools(true).expect("a template"), tokens)
        .expect("a sound template")
}

fn render(c: &mut Criterion<ThreadTime>) {
    let body = Conversation::new(1, 12, 20_000).chat_body(11);
    let mut group = c.benchmark_group("template");
    group.throughput(Throughput::Bytes(body.len() as u64));
    let request = chat::decode_request(&body).expect("a good body");
    let now = LocalTime::from_unix(0, 0);
    for model in Model::ALL {
        let template = template(model);
        group.bench_function(model.name(), |b| {
            b.iter(|| template.render(black_box(&request), now).expect("renders"));
        });
    }
    group.bench_function("decode the body", |b| {
        b.iter(|| chat::decode_request(black_box(&body)).expect("a good body"));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = render
}
criterion_main!(benches);

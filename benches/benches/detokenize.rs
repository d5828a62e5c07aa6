//! Token ids to text, one by one, with and without stop texts.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gateway_benches::{Model, Prose, ThreadTime};
use gateway_proto::text::detokenize::{DetokenizeOptions, Detokenizer, StopMatcher, StopOptions};
use gateway_proto::text::tokenize::Tokenizer;

fn options() -> DetokenizeOptions {
    DetokenizeOptions {
        keep_special: true,
        hidden: vec![0],
        continues: true,
    }
}

fn tokens(c: &mut Criterion<ThreadTime>) {
    let text =
        Prose::new(3).text(8_000) + "\u{4f60}\u{597d}\u{ff0c}\u{4e16}\u{754c} \u{1f44d}\u{1f3fd}";
    let mut group = c.benchmark_group("detokenize");
    for model in Model::ALL {
        let tokenizer =
            Arc::new(Tokenizer::from_json(&model.files().tokenizer).expect("a sound file"));
        let ids = tokenizer.encode(&text, false).expect("encodes");
        group.throughput(Throughput::Elements(ids.len() as u64));
        let mut out = String::new();
        group.bench_function(model.name(), |b| {
            b.iter(|| {
                let mut detokenizer = Detokenizer::new(Arc::clone(&tokenizer), options());
                out.clear();
                for id in black_box(&ids) {
                    detokenizer.push(*id, &mut out);
                }
                detokenizer.finish(&mut out);
            });
        });
        assert_eq!(out, text);
    }
    group.finish();
}

fn stops(c: &mut Criterion<ThreadTime>) {
    let text = Prose::new(3).text(8_000);
    let pieces = gateway_benches::split(&text);
    let mut group = c.benchmark_group("stop texts");
    group.throughput(Throughput::Elements(pieces.len() as u64));
    for stops in [&[][..], &["\n\nUser:", "<|end|>", "; thereby"]] {
        let matcher = StopMatcher::new(StopOptions {
            stops: stops.iter().map(ToString::to_string).collect(),
            ..StopOptions::default()
        });
        let matcher = matcher.expect("good stops");
        let mut out = String::new();
        group.bench_function(stops.len().to_string(), |b| {
            b.iter(|| {
                let mut matcher = matcher.clone();
                out.clear();
                for piece in black_box(&pieces) {
                    assert_eq!(matcher.push(piece, 1, &mut out), None);
                }
                matcher.finish(&mut out);
            });
        });
        assert_eq!(out, text);
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = tokens, stops
}
criterion_main!(benches);

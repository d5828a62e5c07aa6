//! Reading an answer with reasoning, text and two calls, token by token, for each family.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gateway_benches::{ThreadTime, answers, split};

fn families(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("parse_stream");
    for answer in answers() {
        let (spec, pieces) = (answer.spec(), split(&answer.text));
        group.throughput(Throughput::Elements(pieces.len() as u64));
        let mut out = Vec::new();
        group.bench_function(answer.family.name(), |b| {
            b.iter(|| {
                let mut parser = spec.build();
                for piece in black_box(&pieces) {
                    parser.push(piece, &mut out);
                    // As a stream does: what is there goes on at once.
                    out.clear();
                }
                parser.finish(&mut out);
                out.clear();
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = families
}
criterion_main!(benches);

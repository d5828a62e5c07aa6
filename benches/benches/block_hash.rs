//! Hashing a prompt of 4,096 tokens into blocks of 16, and of as many bytes as text.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gateway_core::hash::{extend_tokens, hash_bytes, hash_tokens, seed};
use gateway_core::{BlockHash, Rng};

const TOKENS: usize = 4_096;

fn tokens() -> Vec<u32> {
    let mut rng = Rng::from_seed(1);
    (0..TOKENS)
        .map(|_| u32::try_from(rng.below(128_000)).expect("a token id"))
        .collect()
}

fn bench(c: &mut Criterion) {
    let tokens = tokens();
    let text: Vec<u8> = tokens
        .iter()
        .flat_map(|token| token.to_le_bytes())
        .collect();
    let root = seed(&[b"model"]);
    let mut out: Vec<BlockHash> = Vec::with_capacity(TOKENS);

    let mut group = c.benchmark_group("block_hash");
    group.throughput(Throughput::Elements(TOKENS as u64));
    for block in [16, 64, 128] {
        group.bench_function(format!("tokens/{block}"), |b| {
            b.iter(|| {
                out.clear();
                hash_tokens(root, black_box(&tokens), block, &mut out);
                black_box(&out);
            });
        });
    }
    group.bench_function("bytes/64", |b| {
        b.iter(|| {
            out.clear();
            hash_bytes(root, black_box(&text), 64, &mut out);
            black_box(&out);
        });
    });
    group.finish();

    c.bench_function("block_hash/extend by 256 tokens", |b| {
        b.iter(|| {
            out.clear();
            extend_tokens(BlockHash(root), black_box(&tokens[..256]), 16, &mut out);
            black_box(&out);
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(std::time::Duration::from_secs(2));
    targets = bench
}
criterion_main!(benches);

//! KV events of one engine on their way into the index: chains of 32 to 256 blocks of 16 tokens, each stored in one event
//! and removed block by block, last block first, while 256 chains are held. Throughput counts blocks stored and removed.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gateway_core::kvfeed::{FeedConfig, FeedStep, FeedTracker, FeedTrust, KvBatch, KvSink, Tier};
use gateway_core::prefix::{PrefixIndex, PrefixIndexConfig};
use gateway_core::residency::{Residency, ResidencyConfig};
use gateway_core::{BlockHash, EndpointId, Rng};
use gateway_proto::kv_events::decode;
use rmp::encode;

const CHAINS: usize = 512;
const HELD: usize = CHAINS / 2;
const BLOCK_TOKENS: usize = 16;
const VOCABULARY: usize = 150_000;

struct Chain {
    hashes: Vec<u64>,
    tokens: Vec<u32>,
}

impl Chain {
    fn new(rng: &mut Rng) -> Self {
        let blocks = 32 + rng.below(225);
        let token = |rng: &mut Rng| u32::try_from(rng.below(VOCABULARY)).expect("a token id");
        Self {
            hashes: (0..blocks).map(|_| rng.next_u64()).collect(),
            tokens: (0..blocks * BLOCK_TOKENS).map(|_| token(rng)).collect(),
        }
    }
}

/// Messages that store one chain each and remove the one stored 256 messages before, in a ring, in vLLM's form.
struct Traffic {
    payloads: Vec<Vec<u8>>,
    operations: u64,
}

impl Traffic {
    fn new() -> Self {
        let mut rng = Rng::from_seed(7);
        let chains: Vec<Chain> = (0..CHAINS).map(|_| Chain::new(&mut rng)).collect();
        let payloads = (0..CHAINS).map(|at| message(&chains[at], &chains[(at + HELD) % CHAINS]));
        Self {
            payloads: payloads.collect(),
            operations: chains
                .iter()
                .map(|chain| chain.hashes.len() as u64 * 2)
                .sum(),
        }
    }
}

fn message(stored: &Chain, removed: &Chain) -> Vec<u8> {
    let mut out = Vec::new();
    let events = u32::try_from(removed.hashes.len() + 1).expect("few events");
    (|| {
        encode::write_array_len(&mut out, 3)?;
        encode::write_f64(&mut out, 1.0)?;
        encode::write_array_len(&mut out, events)?;
        store(&mut out, stored)?;
        for hash in removed.hashes.iter().rev() {
            encode::write_map_len(&mut out, 3)?;
            text(&mut out, "type", "BlockRemoved")?;
            list(&mut out, "block_hashes", &[*hash])?;
            text(&mut out, "medium", "GPU")?;
        }
        encode::write_uint(&mut out, 0).map(drop)
    })()
    .expect("a vector takes all");
    out
}

type Written = Result<(), encode::ValueWriteError>;

fn store(out: &mut Vec<u8>, chain: &Chain) -> Written {
    encode::write_map_len(out, 6)?;
    text(out, "type", "BlockStored")?;
    list(out, "block_hashes", &chain.hashes)?;
    encode::write_str(out, "parent_block_hash")?;
    encode::write_nil(out).map_err(encode::ValueWriteError::InvalidMarkerWrite)?;
    let tokens: Vec<u64> = chain.tokens.iter().copied().map(u64::from).collect();
    list(out, "token_ids", &tokens)?;
    encode::write_str(out, "block_size")?;
    encode::write_uint(out, BLOCK_TOKENS as u64)?;
    text(out, "medium", "GPU")
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) -> Written {
    encode::write_str(out, name)?;
    encode::write_str(out, value)
}

fn list(out: &mut Vec<u8>, name: &str, numbers: &[u64]) -> Written {
    encode::write_str(out, name)?;
    encode::write_array_len(out, u32::try_from(numbers.len()).expect("a short list"))?;
    numbers
        .iter()
        .try_for_each(|number| encode::write_uint(out, *number).map(drop))
}

/// The prefix index, with nothing around it.
struct Index(PrefixIndex);

impl KvSink for Index {
    fn stored(
        &mut self,
        endpoint: EndpointId,
        _: Tier,
        parent: Option<BlockHash>,
        blocks: &[BlockHash],
    ) {
        self.0.store(endpoint, parent, blocks);
    }

    fn removed(&mut self, endpoint: EndpointId, _: Tier, blocks: &[BlockHash]) {
        self.0.remove(endpoint, blocks);
    }

    fn cleared(&mut self, endpoint: EndpointId) {
        self.0.clear(endpoint);
    }
}

/// Takes what it is given and does nothing with it.
struct Nowhere;

impl KvSink for Nowhere {
    fn stored(&mut self, _: EndpointId, _: Tier, _: Option<BlockHash>, blocks: &[BlockHash]) {
        black_box(blocks);
    }

    fn removed(&mut self, _: EndpointId, _: Tier, blocks: &[BlockHash]) {
        black_box(blocks);
    }

    fn cleared(&mut self, _: EndpointId) {}
}

struct Feed {
    tracker: FeedTracker,
    seq: u64,
}

impl Feed {
    fn new() -> Self {
        let tracker = FeedTracker::new(EndpointId(0), &FeedConfig::default());
        Self { tracker, seq: 0 }
    }

    fn take(&mut self, batch: &KvBatch, sink: &mut dyn KvSink) {
        let step = self.tracker.live(self.seq, batch, 1.0, sink);
        assert_eq!(step, FeedStep::Applied);
        assert_eq!(self.tracker.trust(), FeedTrust::Exact);
        self.seq += 1;
    }
}

fn apply(c: &mut Criterion, traffic: &Traffic, name: &str, sink: &mut dyn KvSink) {
    let batches: Vec<KvBatch> = traffic
        .payloads
        .iter()
        .map(|payload| decoded(payload))
        .collect();
    let mut feed = Feed::new();
    let mut group = c.benchmark_group("kv_intake");
    group.throughput(Throughput::Elements(traffic.operations));
    group.bench_function(name, |b| {
        b.iter(|| batches.iter().for_each(|batch| feed.take(batch, sink)));
    });
    group.finish();
}

fn decoded(payload: &[u8]) -> KvBatch {
    let mut batch = KvBatch::new();
    decode(payload, &mut batch).expect("our own");
    batch
}

fn from_bytes(c: &mut Criterion, traffic: &Traffic, sink: &mut dyn KvSink) {
    let (mut feed, mut batch) = (Feed::new(), KvBatch::new());
    let mut group = c.benchmark_group("kv_intake");
    group.throughput(Throughput::Elements(traffic.operations));
    group.bench_function("decode", |b| {
        b.iter(|| {
            for payload in &traffic.payloads {
                decode(payload, &mut batch).expect("our own");
                black_box(&batch);
            }
        });
    });
    group.bench_function("decode, translate and index", |b| {
        b.iter(|| {
            for payload in &traffic.payloads {
                decode(payload, &mut batch).expect("our own");
                feed.take(&batch, sink);
            }
        });
    });
    group.finish();
}

fn index() -> Index {
    Index(PrefixIndex::new(PrefixIndexConfig::default()))
}

fn bench(c: &mut Criterion) {
    let traffic = Traffic::new();
    apply(c, &traffic, "translate", &mut Nowhere);
    apply(c, &traffic, "translate and index", &mut index());
    let residency = Residency::new(ResidencyConfig::default());
    apply(c, &traffic, "translate into the residency", &mut &residency);
    from_bytes(c, &traffic, &mut index());
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(1));
    targets = bench
}
criterion_main!(benches);

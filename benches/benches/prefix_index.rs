//! The prefix index with 128 endpoints and conversations of 167 blocks: lookup, store, remove, a lookup beside a writer,
//! and the bytes that a block and its holder take. Then the residency on top: events by tier, and prompts of 750 blocks
//! placed, served and forgotten.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gateway_core::prefix::{PrefixIndex, PrefixIndexConfig, PrefixMatches};
use gateway_core::residency::{Keying, Residency, ResidencyConfig, Residents, Tier, Trust};
use gateway_core::{BlockHash, EndpointId, Rng, Timestamp};

const ENDPOINTS: usize = 128;
const SESSIONS: usize = 6_400;
const BLOCKS: usize = 167;
/// Shared by all sessions with the same one of 16 system prompts.
const SYSTEM: usize = 40;
/// Blocks of each later turn.
const TURN: usize = 27;

struct World {
    systems: Vec<Vec<BlockHash>>,
    rng: Rng,
}

impl World {
    fn new() -> Self {
        let mut rng = Rng::from_seed(1);
        let systems = (0..16).map(|_| blocks(&mut rng, SYSTEM)).collect();
        Self { systems, rng }
    }

    fn session(&mut self) -> Vec<BlockHash> {
        let mut chain = self.systems[self.rng.below(16)].clone();
        chain.extend(blocks(&mut self.rng, BLOCKS - SYSTEM));
        chain
    }
}

fn blocks(rng: &mut Rng, count: usize) -> Vec<BlockHash> {
    (0..count).map(|_| BlockHash(rng.next_u64())).collect()
}

fn endpoint(number: usize) -> EndpointId {
    EndpointId(u16::try_from(number % ENDPOINTS).expect("a small number"))
}

/// Stores a session turn by turn, as an engine announces it.
fn store(index: &PrefixIndex, endpoint: EndpointId, chain: &[BlockHash]) {
    let mut parent = None;
    let (first, later) = chain.split_at(chain.len() - TURN * 4);
    for turn in std::iter::once(first).chain(later.chunks(TURN)) {
        index.store(endpoint, parent, turn);
        parent = turn.last().copied();
    }
}

/// Pages in memory, from the kernel; 0 where it does not say.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok())
        .unwrap_or(0)
        * 4096
}

#[expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a figure for the reader of the bench"
)]
fn filled(world: &mut World) -> (PrefixIndex, Vec<Vec<BlockHash>>) {
    let sessions: Vec<_> = (0..SESSIONS).map(|_| world.session()).collect();
    let before = resident_bytes();
    let index = PrefixIndex::new(PrefixIndexConfig {
        budget_bytes: 256 << 20,
    });
    for (number, chain) in sessions.iter().enumerate() {
        store(&index, endpoint(number), chain);
    }
    let (stats, resident) = (index.stats(), resident_bytes() - before);
    println!(
        "bytes per block-holder: {:.1} by own account, {:.1} resident ({stats:?})",
        stats.bytes as f64 / stats.holders as f64,
        resident as f64 / stats.holders as f64,
    );
    (index, sessions)
}

fn lookups(c: &mut Criterion, index: &PrefixIndex, sessions: &[Vec<BlockHash>], name: &str) {
    let (mut rng, mut matches) = (Rng::from_seed(2), PrefixMatches::new());
    c.bench_function(name, |b| {
        b.iter(|| {
            index.lookup(&sessions[rng.below(sessions.len())], &mut matches);
            black_box(&matches);
        });
    });
}

fn writes(c: &mut Criterion, world: &mut World, index: &PrefixIndex) {
    let mut group = c.benchmark_group("prefix_index");
    group.throughput(Throughput::Elements(BLOCKS as u64));
    let mut number = 0;
    group.bench_function("store and remove a session", |b| {
        b.iter_batched(
            || world.session(),
            |chain| {
                number += 1;
                store(index, endpoint(number), &chain);
                index.remove(endpoint(number), &chain[SYSTEM..]);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
    let full = PrefixIndex::new(PrefixIndexConfig {
        budget_bytes: 4 << 20,
    });
    let mut group = c.benchmark_group("prefix_index");
    group.throughput(Throughput::Elements(BLOCKS as u64));
    group.bench_function("store a session at the budget", |b| {
        b.iter_batched(
            || world.session(),
            |chain| {
                number += 1;
                store(&full, endpoint(number), &chain);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn mixed(c: &mut Criterion, world: &mut World, index: &PrefixIndex, sessions: &[Vec<BlockHash>]) {
    let churn: Vec<_> = (0..512).map(|_| world.session()).collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (number, chain) in churn.iter().enumerate().cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                store(index, endpoint(number), chain);
                index.remove(endpoint(number), &chain[SYSTEM..]);
            }
        });
        lookups(
            c,
            index,
            sessions,
            "prefix_index/lookup beside a busy writer",
        );
        stop.store(true, Ordering::Relaxed);
    });
}

/// A residency with the sessions on its endpoints, by events.
fn residency(sessions: &[Vec<BlockHash>]) -> Residency {
    let residency = Residency::new(ResidencyConfig {
        index: PrefixIndexConfig {
            budget_bytes: 256 << 20,
        },
        ..ResidencyConfig::default()
    });
    for number in 0..ENDPOINTS {
        residency.set_trust(endpoint(number), Trust::Exact);
    }
    for (number, chain) in sessions.iter().enumerate() {
        residency.stored(endpoint(number), Tier::Device, None, chain);
    }
    residency
}

/// Events through the residency: stores and removals, each block once either way.
fn events(c: &mut Criterion, world: &mut World, residency: &Residency) {
    let mut group = c.benchmark_group("residency");
    group.throughput(Throughput::Elements((2 * BLOCKS - SYSTEM) as u64));
    let mut number = 0;
    for (tier, name) in [
        (Tier::Device, "events of the device"),
        (Tier::Host, "events of a lower tier"),
    ] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || world.session(),
                |chain| {
                    number += 1;
                    let mut parent = None;
                    for turn in chain.chunks(TURN) {
                        residency.stored(endpoint(number), tier, parent, turn);
                        parent = turn.last().copied();
                    }
                    residency.removed(endpoint(number), tier, &chain[SYSTEM..]);
                },
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

/// Own knowledge: prompts that nobody has seen, and the next turns of known ones.
fn prompts(c: &mut Criterion, rng: &mut Rng, residency: &Residency) {
    let mut group = c.benchmark_group("residency");
    group.throughput(Throughput::Elements(750));
    let (mut number, mut millis) = (0, 0);
    for (keying, name) in [
        (Keying::Tokens, "place, serve and expire 750 unknown blocks"),
        (
            Keying::Bytes,
            "place and serve 750 unknown blocks at capacity",
        ),
    ] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || blocks(rng, 750),
                |prompt| {
                    (number, millis) = (number + 1, millis + 10);
                    let now = Timestamp::from_millis(millis);
                    let claim = residency.placed(endpoint(number), &prompt, keying, now);
                    residency.served(claim, now);
                },
                BatchSize::SmallInput,
            );
        });
    }
    let known = blocks(rng, 750);
    group.bench_function("place and serve 750 known blocks", |b| {
        b.iter(|| {
            let now = Timestamp::from_millis(millis);
            let claim = residency.placed(endpoint(0), &known, Keying::Bytes, now);
            residency.served(claim, now);
        });
    });
    group.finish();
}

fn answers(c: &mut Criterion, residency: &Residency, sessions: &[Vec<BlockHash>]) {
    let (mut rng, mut residents) = (Rng::from_seed(2), Residents::new());
    c.bench_function("residency/lookup of 167 blocks", |b| {
        b.iter(|| {
            residency.lookup(&sessions[rng.below(sessions.len())], &mut residents);
            black_box(&residents);
        });
    });
}

fn bench(c: &mut Criterion) {
    let mut world = World::new();
    let (index, sessions) = filled(&mut world);
    lookups(c, &index, &sessions, "prefix_index/lookup of 167 blocks");
    let strangers: Vec<_> = (0..64).map(|_| blocks(&mut world.rng, BLOCKS)).collect();
    lookups(
        c,
        &index,
        &strangers,
        "prefix_index/lookup of an unknown prompt",
    );
    writes(c, &mut world, &index);
    mixed(c, &mut world, &index, &sessions);
    drop(index);
    let residency = residency(&sessions);
    answers(c, &residency, &sessions);
    events(c, &mut world, &residency);
    prompts(c, &mut world.rng, &residency);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = bench
}
criterion_main!(benches);

//! One trial of one subject, in a process of its own.

use std::alloc::System;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gateway_core::Rng;
use hdrhistogram::Histogram;
use stats_alloc::StatsAlloc;

use crate::subject::{Query, Subject};
use crate::workload::{Eviction, Reference, Session, sessions};

const QUERIES: usize = 4_096;
const LOOKUPS: usize = 200_000;
const CHECKED: usize = 400;
/// Conversations, of all engines, between one that comes and the one that it pushes out.
const RESIDENT_SESSIONS: usize = 2_048;
/// Offered in the open-loop part; far below what the slowest subject sustains alone.
const OFFERED_BLOCKS_PER_S: f64 = 500_000.0;
const OFFERED_LOOKUPS_PER_S: f64 = 20_000.0;

/// What a trial found; printed as one line of numbers between processes.
pub struct Figures {
    pub store_blocks_per_s: f64,
    /// By the clock, and by the processor time of all threads.
    pub intake_blocks_per_s: [f64; 2],
    pub bytes_per_pair: f64,
    pub quiet: [f64; 2],
    pub busy: [f64; 2],
    /// Writes and lookups issued against those offered, and the issue span against its window.
    pub achieved: [f64; 3],
    pub wrong: usize,
}

impl Figures {
    /// All numbers, in the order of the fields.
    pub fn numbers(&self) -> Vec<f64> {
        let mut all = vec![self.store_blocks_per_s, self.intake_blocks_per_s[0], self.intake_blocks_per_s[1], self.bytes_per_pair];
        all.extend(self.quiet.iter().chain(&self.busy).chain(&self.achieved));
        all.push(self.wrong as f64);
        all
    }
}

/// Builds, measures, writes and reads at once, drains, and checks every score against the reference.
pub fn run(subject: &dyn Subject, allocator: &StatsAlloc<System>) -> Figures {
    let (base, extra) = (sessions(1, 100, Eviction::Few), sessions(2, 40, Eviction::Few));
    let passing = sessions(6, 60, Eviction::Most);
    let reference = Reference::of(base.iter());
    let before = live_bytes(allocator);
    let store_blocks_per_s = feed(subject, &base);
    let bytes_per_pair = (live_bytes(allocator) - before) as f64 / reference.pairs() as f64;

    let intake_blocks_per_s = turn_over(subject, &passing);

    let queries = queries(&base);
    let quiet = quiet_lookups(subject, &queries);
    let (busy, achieved) = open_loop(subject, &extra, &queries);

    let reference = Reference::of(base.iter().chain(&extra).chain(&passing));
    Figures { store_blocks_per_s, intake_blocks_per_s, bytes_per_pair, quiet, busy, achieved, wrong: wrong_scores(subject, &queries, &reference) }
}

fn live_bytes(allocator: &StatsAlloc<System>) -> isize {
    let stats = allocator.stats();
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

/// Applies all writes as fast as they go; the clock stops after the drain.
fn feed(subject: &dyn Subject, sessions: &[Session]) -> f64 {
    let begin = Instant::now();
    let blocks: usize = sessions.iter().map(|session| write(subject, session)).sum();
    subject.drain();
    blocks as f64 / begin.elapsed().as_secs_f64()
}

/// What full engines announce: each new conversation pushes an older one out, so that nearly as many blocks are removed
/// as stored. All as fast as it goes; the clock stops after the drain.
fn turn_over(subject: &dyn Subject, sessions: &[Session]) -> [f64; 2] {
    let (begin, worked) = (Instant::now(), processor_seconds());
    let mut blocks = 0;
    for n in 0..sessions.len() + RESIDENT_SESSIONS {
        if let Some(session) = sessions.get(n) {
            session.turns(|parent, turn| subject.store(session.endpoint, parent, turn));
            blocks += session.blocks.len();
        }
        if let Some(session) = n.checked_sub(RESIDENT_SESSIONS).and_then(|old| sessions.get(old)) {
            let evicted = session.evicted();
            subject.remove(session.endpoint, &evicted);
            blocks += evicted.len();
        }
    }
    subject.drain();
    [begin.elapsed().as_secs_f64(), processor_seconds() - worked].map(|seconds| blocks as f64 / seconds)
}

/// Time that this process's threads have run, from the kernel: a busy machine bears on it less than on the clock.
fn processor_seconds() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux lists the threads");
    let ran = |thread: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<f64>().ok()
    };
    threads.filter_map(ran).sum::<f64>() / 1e9
}

/// Writes one session; gives the blocks stored and removed.
fn write(subject: &dyn Subject, session: &Session) -> usize {
    session.turns(|parent, blocks| subject.store(session.endpoint, parent, blocks));
    let evicted = session.evicted();
    if !evicted.is_empty() {
        subject.remove(session.endpoint, &evicted);
    }
    session.blocks.len() + evicted.len()
}

fn queries(sessions: &[Session]) -> Vec<Query> {
    let mut rng = Rng::from_seed(3);
    (0..QUERIES).map(|_| Query::new(&sessions[rng.below(sessions.len())].blocks)).collect()
}

fn new_histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 10_000_000_000, 3).expect("bounds that make sense")
}

fn percentiles(histogram: &Histogram<u64>) -> [f64; 2] {
    [0.5, 0.99].map(|quantile| histogram.value_at_quantile(quantile) as f64)
}

fn quiet_lookups(subject: &dyn Subject, queries: &[Query]) -> [f64; 2] {
    let (mut reader, mut histogram, mut rng) = (subject.reader(), new_histogram(), Rng::from_seed(4));
    for _ in 0..LOOKUPS {
        let query = &queries[rng.below(queries.len())];
        let begin = Instant::now();
        std::hint::black_box(reader.lookup(query));
        histogram.saturating_record(begin.elapsed().as_nanos() as u64);
    }
    percentiles(&histogram)
}

/// Waits for an absolute time, so that a late step never delays the next ones.
fn wait_until(deadline: Instant) {
    while Instant::now() < deadline {
        std::thread::yield_now();
    }
}

/// One writer and one reader, each on a schedule of its own. Gives service percentiles of the lookups.
fn open_loop(subject: &dyn Subject, writes: &[Session], queries: &[Query]) -> ([f64; 2], [f64; 3]) {
    let per_session = writes[0].blocks.len() as f64;
    let window = Duration::from_secs_f64(writes.len() as f64 * per_session / OFFERED_BLOCKS_PER_S);
    let begin = Instant::now();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read_on_schedule(subject, queries, begin, &done));
        for (n, session) in writes.iter().enumerate() {
            wait_until(begin + window.mul_f64(n as f64 / writes.len() as f64));
            write(subject, session);
        }
        let issued = begin.elapsed();
        subject.drain();
        done.store(true, Ordering::Relaxed);
        let (histogram, lookups) = reading.join().expect("the reader returns");
        let drained = begin.elapsed().as_secs_f64();
        let achieved = [
            window.as_secs_f64() / drained.max(window.as_secs_f64()),
            lookups as f64 / (drained * OFFERED_LOOKUPS_PER_S),
            issued.as_secs_f64() / window.as_secs_f64(),
        ];
        (percentiles(&histogram), achieved)
    })
}

fn read_on_schedule(subject: &dyn Subject, queries: &[Query], begin: Instant, done: &AtomicBool) -> (Histogram<u64>, usize) {
    let (mut reader, mut histogram, mut rng) = (subject.reader(), new_histogram(), Rng::from_seed(5));
    let mut lookups = 0;
    while !done.load(Ordering::Relaxed) {
        wait_until(begin + Duration::from_secs_f64(lookups as f64 / OFFERED_LOOKUPS_PER_S));
        let query = &queries[rng.below(queries.len())];
        let start = Instant::now();
        std::hint::black_box(reader.lookup(query));
        histogram.saturating_record(start.elapsed().as_nanos() as u64);
        lookups += 1;
    }
    (histogram, lookups)
}

fn wrong_scores(subject: &dyn Subject, queries: &[Query], reference: &Reference) -> usize {
    let mut reader = subject.reader();
    let mut is_wrong = |query: &Query| {
        let mut scores = reader.scores(query);
        scores.sort_unstable();
        scores != reference.scores(&query.blocks)
    };
    queries.iter().take(CHECKED).filter(|query| is_wrong(query)).count()
}

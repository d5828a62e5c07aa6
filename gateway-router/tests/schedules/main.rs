//! Fleets whose engines fail at random, in virtual time: ten thousand schedules of faults, each from a seed of its own that
//! every failed check names.
//!
//! `GATEWAY_SEED=N` plays the one schedule of that seed, `GATEWAY_SCHEDULES=N` so many of them.

#[path = "../suite/common/mod.rs"]
#[expect(dead_code, reason = "the other suite uses all of it")]
mod common;

mod caller;
mod check;
mod engine;
mod fault;
mod feed;
mod plan;
mod run;
mod tally;
mod text;
mod world;

use std::thread;

use tally::Tally;

const SCHEDULES: u64 = 10_000;
const THREADS: u64 = 2;

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where this suite is told what to play"
)]
fn told(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seeds from `first` on, by twos.
fn every_second(first: u64, count: u64) -> Tally {
    let mut tally = Tally::default();
    for seed in (first..count).step_by(THREADS as usize) {
        tally += run::play(seed);
    }
    tally
}

#[test]
fn every_request_ends_once_and_nothing_is_lost_or_left() {
    if let Some(seed) = told("GATEWAY_SEED") {
        println!("seed {seed}: {:?}", run::play(seed));
        return;
    }
    let count = told("GATEWAY_SCHEDULES").unwrap_or(SCHEDULES);
    let tallies = thread::scope(|scope| {
        let halves = (0..THREADS).map(|first| scope.spawn(move || every_second(first, count)));
        let halves: Vec<_> = halves.collect();
        let ended = halves
            .into_iter()
            .map(|half| half.join().expect("see above"));
        ended.collect::<Vec<_>>()
    });
    let mut tally = Tally::default();
    tallies.into_iter().for_each(|half| tally += half);
    println!("seeds 0..{count}: {tally:?}");
    tally.assert_wide();
}

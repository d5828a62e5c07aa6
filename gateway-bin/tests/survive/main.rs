//! Streams by tokens over real sockets, in front of engines that are processes of their own and are killed, stopped and
//! started again at random, until one of them is left.

#[path = "../serve/child.rs"]
#[expect(dead_code, reason = "the other suite uses all of it")]
mod child;

mod client;
mod crowd;
mod fleet;
mod havoc;
mod soak;
mod wire;

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use tokio::task::JoinSet;

use crate::{
    crowd::Crowd,
    fleet::{Fleet, LONG_SUFFERING},
    havoc::Havoc,
};

/// Streams at any time.
const STREAMS: usize = 200;
/// Blows while all engines may come back.
const BLOWS: usize = 4;

/// A seed that no run has had before.
pub(crate) fn seed() -> u64 {
    RandomState::new().hash_one("survive")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_streams_survive_their_engines_down_to_the_last() {
    let seed = seed();
    println!("seed {seed}");
    let fleet = Fleet::start(LONG_SUFFERING).await;
    let crowd = Arc::new(Crowd::learn(&fleet, STREAMS).await);
    let streams = crowd.clone().enter();
    let mut havoc = Havoc::of(fleet, Arc::clone(&crowd), seed);
    crowd.all_are_under_way().await;
    for _ in 0..BLOWS {
        havoc.strike().await;
    }
    havoc.leave_one().await;
    let told = end(&havoc, &crowd, streams, seed).await;
    println!("{told}");
}

/// With the bounds that a gateway has of itself, and no time between the blows.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_streams_survive_three_engines_that_die_at_once() {
    let seed = seed();
    println!("seed {seed}");
    let fleet = Fleet::start("").await;
    let crowd = Arc::new(Crowd::learn(&fleet, STREAMS).await);
    let streams = crowd.clone().enter();
    let mut havoc = Havoc::of(fleet, Arc::clone(&crowd), seed);
    crowd.all_are_under_way().await;
    havoc.leave_one_at_once();
    let told = end(&havoc, &crowd, streams, seed).await;
    println!("{told}");
}

/// Every stream has come whole, many of them from more than one engine, and nothing is left of them.
async fn end(havoc: &Havoc, crowd: &Crowd, streams: JoinSet<()>, seed: u64) -> String {
    crowd.all_move_on().await;
    crowd.close();
    let ended = tokio::time::timeout(Duration::from_secs(120), streams.join_all()).await;
    ended.expect("all streams end");
    let tally = crowd.tally();
    let survived = havoc.fleet.migrations().await;
    let story = havoc.story();
    assert!(tally.broken.is_empty(), "seed {seed}: {story}\n{tally:#?}");
    assert!(tally.whole >= STREAMS, "seed {seed}: {tally:?}");
    assert!(
        survived >= STREAMS / 2,
        "seed {seed}: they were hit: {survived}"
    );
    havoc.fleet.until_nothing_is_left().await;
    format!("{tally}, {survived} answers taken up; {story}")
}

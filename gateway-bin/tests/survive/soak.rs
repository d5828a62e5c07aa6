//! The same for as long as somebody wants, with an eye on the gateway's memory.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    crowd::Crowd,
    fleet::{ENGINES, Fleet, LONG_SUFFERING},
    havoc::Havoc,
};

const STREAMS: usize = 100;
/// The first part of the run, in which caches and pools fill.
const WARM_UP: f64 = 0.3;
/// What memory may still gain after that, in percent of what was there then.
const GAIN_PERCENT: u64 = 10;

#[expect(
    clippy::disallowed_methods,
    reason = "the length of a run that somebody asks for"
)]
fn length() -> Duration {
    let minutes = std::env::var("GATEWAY_SOAK_MINUTES").ok();
    let minutes = minutes.and_then(|text| text.parse::<f64>().ok());
    Duration::from_secs_f64(minutes.unwrap_or(10.0) * 60.0)
}

/// Resident memory of a process, in KiB.
fn memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("a number of KiB")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes GATEWAY_SOAK_MINUTES, 10 where unset"]
#[expect(clippy::disallowed_methods, reason = "a run by the clock")]
async fn memory_stays_flat_while_engines_fail() {
    let seed = crate::seed();
    println!("seed {seed}\n\n| minute | RSS, MiB | streams whole | taken up | broken |");
    println!("| --- | --- | --- | --- | --- |");
    let fleet = Fleet::start(LONG_SUFFERING).await;
    let pid = fleet.gateway_pid();
    let crowd = Arc::new(Crowd::learn(&fleet, STREAMS).await);
    let streams = crowd.clone().enter();
    let mut havoc = Havoc::of(fleet, Arc::clone(&crowd), seed);
    let (began, length) = (Instant::now(), length());
    let (mut warm, mut most, mut told) = (0, 0, 0);
    while began.elapsed() < length {
        havoc.strike().await;
        let kib = memory_kib(pid);
        let share = began.elapsed().div_duration_f64(length);
        if share < WARM_UP {
            warm = warm.max(kib);
        }
        most = most.max(kib);
        if share * 20.0 >= f64::from(told) {
            told += 1;
            let (tally, taken_up) = (crowd.tally(), havoc.fleet.migrations().await);
            let minute = began.elapsed().as_secs_f64() / 60.0;
            let (mib, whole, broken) = (kib as f64 / 1024.0, tally.whole, tally.broken.len());
            println!("| {minute:.1} | {mib:.1} | {whole} | {taken_up} | {broken} |");
        }
    }
    crowd.close();
    for at in 0..ENGINES {
        if !havoc.fleet.engines[at].serves() {
            havoc.bring_back(at);
        }
    }
    streams.join_all().await;
    havoc.fleet.until_nothing_is_left().await;
    let tally = crowd.tally();
    println!("\n{tally}; most memory {most} KiB, {warm} KiB in the first part");
    assert!(tally.broken.is_empty(), "seed {seed}: {tally:#?}");
    let limit = warm + warm * GAIN_PERCENT / 100;
    assert!(most <= limit, "seed {seed}: {most} KiB, {warm} KiB before");
}

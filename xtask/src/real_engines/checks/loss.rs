//! An engine dies under load; only streams that had begun may notice.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Bench, CHAT, chat, streamed};
use crate::host::{Stopwatch, poll_until};
use crate::real_engines::talk::Peer;

const REQUESTS: u32 = 80;
const INTERVAL: Duration = Duration::from_millis(125);
const MAX_TOKENS: u32 = 64;
/// Load has built up by then; most of it is still to come.
const KILL_AFTER: Duration = Duration::from_secs(3);

/// How one request ended.
enum End {
    Whole,
    /// Broken off after the first chunk, which no retry can mend.
    Cut,
    Lost(anyhow::Error),
}

/// Sends requests at a steady rate, kills the second engine while it works, and counts what was lost.
pub(super) fn check(bench: &mut Bench) -> Result<String> {
    let peer = bench.gateway.peer.clone();
    let load = thread::spawn(move || open_loop(&peer));
    thread::sleep(KILL_AFTER);
    let victim = &mut bench.engines[1];
    let busy = || victim.in_hand().ok().filter(|requests| *requests >= 2.0);
    let (in_hand, _) = poll_until(Duration::from_secs(5), Duration::from_millis(5), busy)
        .context("the engine to be killed got too little load")?;
    victim.kill()?;
    let ends = load.join().ok().context("the load generator panicked")?;
    let cut = ends.iter().filter(|end| matches!(end, End::Cut)).count();
    let lost: Vec<String> = ends
        .iter()
        .filter_map(|end| match end {
            End::Lost(error) => Some(format!("{error:#}")),
            _ => None,
        })
        .collect();
    let figures = format!(
        "{} requests, {in_hand} in hand when killed, {cut} cut mid-stream, {} lost",
        ends.len(),
        lost.len()
    );
    ensure!(lost.is_empty(), "{figures}: {lost:?}");
    ensure!(
        cut as f64 <= in_hand + 2.0,
        "more streams broke than the engine had: {figures}"
    );
    Ok(figures)
}

/// Starts a request every [`INTERVAL`], whatever became of the ones before; every other one is a stream.
fn open_loop(peer: &Peer) -> Vec<End> {
    let watch = Stopwatch::start();
    let requests: Vec<_> = (0..REQUESTS)
        .map(|number| {
            thread::sleep((INTERVAL * number).saturating_sub(watch.elapsed()));
            let peer = peer.clone();
            thread::spawn(move || send(&peer, number))
        })
        .collect();
    requests
        .into_iter()
        .map(|request| {
            request
                .join()
                .unwrap_or_else(|_| End::Lost(anyhow::anyhow!("a client panicked")))
        })
        .collect()
}

fn send(peer: &Peer, number: u32) -> End {
    let mut body = chat(&format!("{number} times something else."), MAX_TOKENS);
    body["ignore_eos"] = true.into();
    if number.is_multiple_of(2) {
        return match peer.ask(CHAT, &body) {
            Ok(_) => End::Whole,
            Err(error) => End::Lost(error.context(format!("call {number}"))),
        };
    }
    stream_to_end(peer, &streamed(body))
        .unwrap_or_else(|error| End::Lost(error.context(format!("stream {number}"))))
}

fn stream_to_end(peer: &Peer, body: &Value) -> Result<End> {
    let mut stream = peer.stream(CHAT, body)?;
    stream.next_chunk()?.context("a stream without a chunk")?;
    Ok(if stream.collect().is_ok() {
        End::Whole
    } else {
        End::Cut
    })
}

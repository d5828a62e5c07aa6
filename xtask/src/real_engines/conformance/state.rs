//! What the gateway knows of the engine without being told.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::super::MODEL;
use super::super::checks::{CHAT, streamed};
use super::bench::Bench;
use super::ids::unreasoned;
use crate::host::poll_until;

const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
const RUNNING: &str = "gateway_endpoint_running";
const UP: &str = "gateway_endpoint_up";

/// Its configuration names no kind.
pub(super) fn detected(bench: &Bench) -> Result<String> {
    let kind = bench.subject.kind.name;
    let log = bench.gateway.log();
    let found = log.lines().find(|line| line.contains("engine found"));
    let found = found.context("the gateway does not say what it found")?;
    ensure!(found.contains(kind), "{found}");
    let up = bench.gateway.of_endpoint(kind, UP);
    ensure!(up == Some(1.0), "its health is {up:?}");
    Ok(kind.into())
}

/// A long request sent past the gateway shows in its view of the engine, and goes again.
pub(super) fn loaded(bench: &Bench) -> Result<String> {
    let name = bench.subject.kind.name;
    let mut body = streamed(unreasoned("Tell a long story.", MODEL));
    body["max_tokens"] = 3500.into();
    body["ignore_eos"] = true.into();
    let mut stream = bench.subject.peer().stream(CHAT, &body)?;
    stream.next_chunk()?.context("the stream ended at once")?;
    let is_busy = |wanted: bool| {
        let running = bench.gateway.of_endpoint(name, RUNNING)?;
        ((running >= 1.0) == wanted).then_some(())
    };
    let (_, rise) = poll_until(LIMIT, POLL, || is_busy(true)).context("its load is not seen")?;
    drop(stream);
    let (_, fall) = poll_until(LIMIT, POLL, || is_busy(false)).context("it stays busy")?;
    Ok(format!("seen after {rise:.0?}, gone after {fall:.0?}"))
}

/// A dead engine is given no more requests, and callers are told so.
pub(super) fn lost(bench: &mut Bench) -> Result<String> {
    bench.subject.kill()?;
    let name = bench.subject.kind.name;
    let down = || {
        let up = bench.gateway.of_endpoint(name, UP)?;
        (up < 1.0).then_some(())
    };
    let (_, took) = poll_until(LIMIT, POLL, down).context("it is still thought to be up")?;
    let body = unreasoned("Anybody?", MODEL);
    let (status, reply) = bench.gateway.peer.reply(CHAT, &body)?;
    ensure!(
        (502..=504).contains(&status) && reply["error"]["message"].is_string(),
        "{status} {reply}"
    );
    Ok(format!("after {took:.0?}, then status {status}"))
}

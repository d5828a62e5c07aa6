//! A client that goes away frees its request on the engine.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::super::checks::{CHAT, streamed};
use super::super::{BY_TOKENS, MODEL};
use super::bench::Bench;
use super::ids::unreasoned;
use crate::host::poll_until;

/// Far more tokens than an engine makes within [`LIMIT`].
const MAX_TOKENS: u32 = 3500;
const LIMIT: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(20);

/// How long a client waits for an answer that comes whole.
const PATIENCE: Duration = Duration::from_secs(2);

/// This gateway's own requests at an endpoint.
const IN_FLIGHT: &str = "gateway_endpoint_in_flight";

pub(super) fn by_text(bench: &Bench) -> Result<String> {
    freed(bench, MODEL)
}

pub(super) fn by_tokens(bench: &Bench) -> Result<String> {
    if bench.subject.kind.streams_ids {
        freed(bench, BY_TOKENS)
    } else {
        let_go(bench)
    }
}

fn freed(bench: &Bench, model: &str) -> Result<String> {
    let holds = |wanted: bool| {
        let found = bench.subject.in_hand().ok()?;
        ((found >= 1.0) == wanted).then_some(())
    };
    poll_until(LIMIT, POLL, || holds(false)).context("the engine is busy before the check")?;
    let mut stream = bench.gateway.peer.stream(CHAT, &endless(model))?;
    for _ in 0..5 {
        stream.next_chunk()?.context("the stream ended early")?;
    }
    poll_until(LIMIT, POLL, || holds(true)).context("the engine does not count the request")?;
    drop(stream);
    let (_, took) = poll_until(LIMIT, POLL, || holds(false))
        .context("the request runs on after its client has gone")?;
    Ok(format!("after {took:.0?}"))
}

/// An engine that is asked for whole answers does not look whether anybody still waits for one: that the gateway does not
/// is all there is to see.
fn let_go(bench: &Bench) -> Result<String> {
    let holds = |wanted: bool| {
        let held = bench
            .gateway
            .of_endpoint(bench.subject.kind.name, IN_FLIGHT)?;
        ((held >= 1.0) == wanted).then_some(())
    };
    poll_until(LIMIT, POLL, || holds(false)).context("the gateway is busy before the check")?;
    let impatient = bench.gateway.peer.clone().with_limit(PATIENCE);
    let body = endless(BY_TOKENS);
    thread::scope(|scope| {
        let asked = scope.spawn(|| impatient.json(CHAT, &body));
        poll_until(LIMIT, POLL, || holds(true)).context("the gateway does not ask the engine")?;
        let answer = asked.join().expect("it does not panic");
        ensure!(
            answer.is_err(),
            "the answer was whole before its client left"
        );
        let (_, took) = poll_until(LIMIT, POLL, || holds(false))
            .context("the gateway waits on after its client has gone")?;
        Ok(format!("the gateway lets go after {took:.0?}"))
    })
}

fn endless(model: &str) -> Value {
    let mut body = streamed(unreasoned("Write without an end.", model));
    body["max_tokens"] = MAX_TOKENS.into();
    body["ignore_eos"] = true.into();
    body
}

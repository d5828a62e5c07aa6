//! A client that goes away frees its request on the engine.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Bench, CHAT, chat, streamed};
use crate::host::poll_until;
use crate::real_engines::talk::Peer;
use crate::real_engines::{BY_TOKENS, MODEL};

/// Far more tokens than an engine makes within [`LIMIT`].
const MAX_TOKENS: u32 = 3500;
const LIMIT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(10);
const GENERATED: &str = "vllm:generation_tokens_total";

pub(super) fn stream(bench: &Bench) -> Result<String> {
    freed(bench, MODEL, read_and_leave)
}

pub(super) fn stream_by_tokens(bench: &Bench) -> Result<String> {
    freed(bench, BY_TOKENS, read_and_leave)
}

fn read_and_leave(peer: &Peer, body: Value) -> Result<()> {
    let mut stream = peer.stream(CHAT, &streamed(body))?;
    for _ in 0..5 {
        stream.next_chunk()?.context("the stream ended early")?;
    }
    Ok(())
}

pub(super) fn call(bench: &Bench) -> Result<String> {
    freed(bench, MODEL, |peer, body| {
        let hasty = peer.clone().with_limit(Duration::from_millis(700));
        ensure!(
            hasty.ask(CHAT, &body).is_err(),
            "a long request was answered at once"
        );
        Ok(())
    })
}

/// Lets `abandon` start a long request and go; then no engine may have it any more.
fn freed(
    bench: &Bench,
    model: &str,
    abandon: impl FnOnce(&Peer, Value) -> Result<()>,
) -> Result<String> {
    let idle = || {
        bench
            .in_hand()
            .is_ok_and(|requests| requests < 1.0)
            .then_some(())
    };
    poll_until(LIMIT, POLL, idle).context("an engine is busy before the check")?;
    let before = bench.sum(GENERATED)?;
    let mut body = chat("Write without an end.", MAX_TOKENS);
    body["model"] = model.into();
    body["ignore_eos"] = true.into();
    abandon(&bench.gateway.peer, body)?;
    let (_, took) =
        poll_until(LIMIT, POLL, idle).context("the request runs on after its client has gone")?;
    let generated = bench.sum(GENERATED)? - before;
    ensure!(generated > 0.0, "the request never reached an engine");
    ensure!(
        generated < f64::from(MAX_TOKENS),
        "the request ran to its end"
    );
    Ok(format!(
        "after {took:.0?} and {generated} of {MAX_TOKENS} tokens"
    ))
}

//! A client that goes away frees its request on the engine.

use std::time::Duration;

use anyhow::{Context, Result};

use super::super::checks::{CHAT, streamed};
use super::super::{BY_TOKENS, MODEL};
use super::bench::Bench;
use super::ids::unreasoned;
use crate::host::poll_until;

/// Far more tokens than an engine makes within [`LIMIT`].
const MAX_TOKENS: u32 = 3500;
const LIMIT: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(20);

pub(super) fn by_text(bench: &Bench) -> Result<String> {
    freed(bench, MODEL)
}

pub(super) fn by_tokens(bench: &Bench) -> Result<String> {
    freed(bench, BY_TOKENS)
}

fn freed(bench: &Bench, model: &str) -> Result<String> {
    let holds = |wanted: bool| {
        let found = bench.subject.in_hand().ok()?;
        ((found >= 1.0) == wanted).then_some(())
    };
    poll_until(LIMIT, POLL, || holds(false)).context("the engine is busy before the check")?;
    let mut body = streamed(unreasoned("Write without an end.", model));
    body["max_tokens"] = MAX_TOKENS.into();
    body["ignore_eos"] = true.into();
    let mut stream = bench.gateway.peer.stream(CHAT, &body)?;
    for _ in 0..5 {
        stream.next_chunk()?.context("the stream ended early")?;
    }
    poll_until(LIMIT, POLL, || holds(true)).context("the engine does not count the request")?;
    drop(stream);
    let (_, took) = poll_until(LIMIT, POLL, || holds(false))
        .context("the request runs on after its client has gone")?;
    Ok(format!("after {took:.0?}"))
}

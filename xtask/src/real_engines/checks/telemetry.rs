//! The gateway knows an engine's load that it did not cause itself.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Bench, CHAT, chat, gauge, streamed};
use crate::host::poll_until;

const LIMIT: Duration = Duration::from_secs(10);
const RUNNING: &str = "gateway_endpoint_running";
const KV_USED: &str = "gateway_endpoint_kv_used";

/// A long request sent past the gateway shows up in its view of that engine, and goes again.
pub(super) fn check(bench: &Bench) -> Result<String> {
    let mut body = streamed(chat("Tell a long story.", 3000));
    body["ignore_eos"] = true.into();
    let mut stream = bench.direct().stream(CHAT, &body)?;
    stream
        .next_chunk()?
        .context("the engine's stream ended at once")?;
    let name = bench.engines[0].name;
    let seen = || {
        let (running, kv) = (gauge(bench, name, RUNNING)?, gauge(bench, name, KV_USED)?);
        (running >= 1.0 && kv > 0.0).then_some((running, kv))
    };
    let ((running, kv), rise) = poll_until(LIMIT, Duration::from_millis(50), seen)
        .with_context(|| format!("load of engine {name} is not in the gateway's metrics"))?;
    drop(stream);
    let idle = || gauge(bench, name, RUNNING).filter(|running| *running < 1.0);
    let (_, fall) = poll_until(LIMIT, Duration::from_millis(50), idle)
        .with_context(|| format!("engine {name} stays busy in the gateway's metrics"))?;
    Ok(format!(
        "running {running}, KV use {kv:.5}; seen after {rise:.0?}, gone after {fall:.0?}"
    ))
}

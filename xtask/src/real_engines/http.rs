//! A blocking HTTP client: one connection per request, so that a dropped reply closes its connection.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::{Agent, BodyReader};

/// The rest of a reply; dropping it closes the connection.
pub(super) type Body = BodyReader<'static>;

fn agent(limit: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(limit))
        .max_idle_connections(0)
        .proxy(None)
        .build()
        .into()
}

/// The body of a 200 answer; small answers within a few seconds.
pub(super) fn get(url: &str) -> Result<String> {
    let mut reply = agent(Duration::from_secs(5))
        .get(url)
        .call()
        .with_context(|| format!("GET {url}"))?;
    let text = reply
        .body_mut()
        .read_to_string()
        .with_context(|| format!("GET {url}"))?;
    if reply.status() != 200 {
        bail!("GET {url}: {} {text}", reply.status());
    }
    Ok(text)
}

/// Sends `body` as JSON and returns status and body as soon as the head is there.
pub(super) fn post(
    url: &str,
    key: Option<&str>,
    limit: Duration,
    body: &Value,
) -> Result<(u16, Body)> {
    let mut request = agent(limit)
        .post(url)
        .header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    let reply = request
        .send(body.to_string())
        .with_context(|| format!("POST {url}"))?;
    Ok((reply.status().as_u16(), reply.into_body().into_reader()))
}

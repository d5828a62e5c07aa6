//! A blocking HTTP client: one connection per request, so that a dropped reply closes its connection.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::http::HeaderMap;
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

/// The head of a reply, and its body to be read.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

impl Reply {
    /// A header's text, where it is there.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Sends `body` as JSON and returns as soon as the head of the reply is there.
pub(super) fn post(
    url: &str,
    headers: &[(&str, String)],
    limit: Duration,
    body: &Value,
) -> Result<Reply> {
    let mut request = agent(limit)
        .post(url)
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let reply = request
        .send(body.to_string())
        .with_context(|| format!("POST {url}"))?;
    let (head, body) = reply.into_parts();
    Ok(Reply {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.into_reader(),
    })
}

//! Chat and completions, whole or streamed, brought to one comparable answer.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::http;

/// Somebody who speaks the OpenAI API: an engine, or the gateway with a key.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) url: String,
    key: Option<String>,
    limit: Duration,
}

/// Patience with one request, unless said otherwise.
const LIMIT: Duration = Duration::from_secs(120);

/// What a client makes of a reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) finish_reason: String,
    pub(super) usage: Value,
}

impl Peer {
    /// Speaks to `url` without a key.
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            key: None,
            limit: LIMIT,
        }
    }

    /// Shows `key` with every request.
    pub(super) fn with_key(self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self
        }
    }

    /// Closes the connection of a request that takes longer than `limit`.
    pub(super) fn with_limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Asks for a whole answer: status 200, or an error with the body in it.
    pub(super) fn ask(&self, path: &str, body: &Value) -> Result<Answer> {
        let (status, mut reader) = self.post(path, body)?;
        let mut text = String::new();
        reader
            .read_to_string(&mut text)
            .context("reading the answer")?;
        if status != 200 {
            bail!("status {status}: {text}");
        }
        let reply: Value = serde_json::from_str(&text).with_context(|| format!("answer {text}"))?;
        let mut answer = Answer::default();
        answer.take(&reply);
        Ok(answer)
    }

    fn post(&self, path: &str, body: &Value) -> Result<(u16, http::Body)> {
        http::post(
            &format!("{}{path}", self.url),
            self.key.as_deref(),
            self.limit,
            body,
        )
    }

    /// Asks for a stream; `body` must say `"stream": true`.
    pub(super) fn stream(&self, path: &str, body: &Value) -> Result<Stream> {
        let (status, mut reader) = self.post(path, body)?;
        if status != 200 {
            let mut text = String::new();
            reader
                .read_to_string(&mut text)
                .context("reading the error")?;
            bail!("status {status}: {text}");
        }
        Ok(Stream {
            lines: BufReader::new(reader),
        })
    }
}

/// A streamed reply; dropping it closes the connection.
pub(super) struct Stream {
    lines: BufReader<http::Body>,
}

impl Stream {
    /// The next chunk, or `None` after `[DONE]`. A stream that ends without it, or brings an error event, is an error.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Value>> {
        let mut line = String::new();
        loop {
            line.clear();
            if self
                .lines
                .read_line(&mut line)
                .context("reading the stream")?
                == 0
            {
                bail!("the stream ended without [DONE]");
            }
            let Some(data) = line.trim_end().strip_prefix("data:") else {
                continue;
            };
            if data.trim() == "[DONE]" {
                return Ok(None);
            }
            let chunk: Value =
                serde_json::from_str(data).with_context(|| format!("chunk {data}"))?;
            if !chunk["error"].is_null() {
                bail!("error event {data}");
            }
            return Ok(Some(chunk));
        }
    }

    /// Reads to the end.
    pub(super) fn collect(mut self) -> Result<Answer> {
        let mut answer = Answer::default();
        while let Some(chunk) = self.next_chunk()? {
            answer.take(&chunk);
        }
        Ok(answer)
    }
}

impl Answer {
    /// Adds what a reply or a chunk brings, of chat or of completions.
    fn take(&mut self, reply: &Value) {
        let choice = &reply["choices"][0];
        for source in [&choice["message"], &choice["delta"]] {
            self.text
                .push_str(source["content"].as_str().unwrap_or_default());
            self.reasoning
                .push_str(source["reasoning"].as_str().unwrap_or_default());
        }
        self.text
            .push_str(choice["text"].as_str().unwrap_or_default());
        if let Some(reason) = choice["finish_reason"].as_str() {
            reason.clone_into(&mut self.finish_reason);
        }
        if !reply["usage"].is_null() {
            self.usage = reply["usage"].clone();
        }
    }
}

//! Chat and completions, whole or streamed, brought to one comparable answer.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::http;

/// Somebody who speaks the OpenAI API: an engine, or the gateway with a key.
#[derive(Debug, Clone)]
pub(super) struct Peer {
    pub(super) url: String,
    key: Option<String>,
    limit: Duration,
}

/// An engine, asked directly, and the gateway in front of it.
#[derive(Debug, Clone)]
pub(super) struct Sides {
    pub(super) direct: Peer,
    pub(super) through: Peer,
}

/// How the gateway tells which pair served a request, or why none did.
const PAIR: &str = "x-gateway-pair";

/// Patience with one request, unless said otherwise.
const LIMIT: Duration = Duration::from_secs(120);

/// What a client makes of a reply.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) reasoning: String,
    pub(super) finish_reason: String,
    /// Without what the engine that served it had cached.
    pub(super) usage: Value,
    /// Where they were asked for.
    pub(super) token_ids: Vec<Value>,
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
        let mut answer = Answer::default();
        answer.take(&self.json(path, body)?);
        Ok(answer)
    }

    /// The body of a 200 answer, whatever its shape; an error with the body in it otherwise.
    pub(super) fn json(&self, path: &str, body: &Value) -> Result<Value> {
        let (status, reply) = self.reply(path, body)?;
        ensure!(status == 200, "status {status}: {reply}");
        Ok(reply)
    }

    /// Status and body of an answer, which must be JSON.
    pub(super) fn reply(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        let mut reply = self.post(path, body)?;
        let read = read(&mut reply)?;
        Ok((reply.status, read))
    }

    /// As [`ask`](Self::ask), with what the gateway's header [`PAIR`] says of the pair that served it.
    pub(super) fn ask_pair(&self, path: &str, body: &Value) -> Result<(Answer, String)> {
        let mut reply = self.post(path, body)?;
        let read = read(&mut reply)?;
        ensure!(reply.status == 200, "status {}: {read}", reply.status);
        let mut answer = Answer::default();
        answer.take(&read);
        Ok((answer, reply.header(PAIR).unwrap_or_default().to_owned()))
    }

    fn post(&self, path: &str, body: &Value) -> Result<http::Reply> {
        let mut headers = Vec::new();
        if let Some(key) = &self.key {
            headers.push(("authorization", format!("Bearer {key}")));
            headers.push(("x-gateway-explain", "1".into()));
        }
        http::post(&format!("{}{path}", self.url), &headers, self.limit, body)
    }

    /// Asks for a stream; `body` must say `"stream": true`.
    pub(super) fn stream(&self, path: &str, body: &Value) -> Result<Stream> {
        let mut reply = self.post(path, body)?;
        if reply.status != 200 {
            let mut text = String::new();
            let read = reply.body.read_to_string(&mut text);
            read.context("reading the error")?;
            bail!("status {}: {text}", reply.status);
        }
        Ok(Stream {
            pair: reply.header(PAIR).unwrap_or_default().to_owned(),
            lines: BufReader::new(reply.body),
        })
    }
}

/// A streamed reply of server-sent events; dropping it closes the connection.
pub(super) struct Stream {
    /// What the gateway's header [`PAIR`] says of the pair that serves it.
    pub(super) pair: String,
    lines: BufReader<http::Body>,
}

impl Stream {
    /// The next chunk, or `None` after `[DONE]`. A stream that ends without it, or brings an error event, is an error.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Value>> {
        let data = self.next_data()?;
        let data = data.context("the stream ended without [DONE]")?;
        if data == "[DONE]" {
            return Ok(None);
        }
        chunk(&data).map(Some)
    }

    /// Every event to the end, of a dialect that tells its end in an event; `[DONE]` may follow.
    pub(super) fn events(mut self) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        while let Some(data) = self.next_data()? {
            if data != "[DONE]" {
                events.push(chunk(&data)?);
            }
        }
        Ok(events)
    }

    /// What the next `data:` line holds.
    fn next_data(&mut self) -> Result<Option<String>> {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.lines.read_line(&mut line);
            if read.context("reading the stream")? == 0 {
                return Ok(None);
            }
            if let Some(data) = line.strip_prefix("data:") {
                return Ok(Some(data.trim().to_owned()));
            }
        }
    }

    /// Reads to the end.
    pub(super) fn collect(self) -> Result<Answer> {
        let mut answer = Answer::default();
        self.collect_into(&mut answer)?;
        Ok(answer)
    }

    /// Reads to the end, and adds it to what is there.
    pub(super) fn collect_into(mut self, answer: &mut Answer) -> Result<()> {
        while let Some(chunk) = self.next_chunk()? {
            answer.take(&chunk);
        }
        Ok(())
    }
}

/// The body of a reply, which must be JSON.
fn read(reply: &mut http::Reply) -> Result<Value> {
    let mut text = String::new();
    let read = reply.body.read_to_string(&mut text);
    read.context("reading the answer")?;
    serde_json::from_str(&text).with_context(|| format!("answer {text}"))
}

/// An event that is no error.
fn chunk(data: &str) -> Result<Value> {
    let chunk: Value = serde_json::from_str(data).with_context(|| format!("chunk {data}"))?;
    ensure!(chunk["error"].is_null(), "error event {data}");
    Ok(chunk)
}

impl Answer {
    /// Adds what a reply or a chunk brings, of chat or of completions.
    pub(super) fn take(&mut self, reply: &Value) {
        let choice = &reply["choices"][0];
        for source in [&choice["message"], &choice["delta"]] {
            self.text
                .push_str(source["content"].as_str().unwrap_or_default());
            // vLLM calls it the one, others the other.
            for name in ["reasoning", "reasoning_content"] {
                self.reasoning
                    .push_str(source[name].as_str().unwrap_or_default());
            }
        }
        self.text
            .push_str(choice["text"].as_str().unwrap_or_default());
        if let Some(reason) = choice["finish_reason"].as_str() {
            reason.clone_into(&mut self.finish_reason);
        }
        self.token_ids.extend(
            choice["token_ids"]
                .as_array()
                .into_iter()
                .flatten()
                .cloned(),
        );
        if let Some(usage) = reply["usage"].as_object() {
            let mut usage = usage.clone();
            usage.remove("prompt_tokens_details");
            self.usage = usage.into();
        }
    }
}

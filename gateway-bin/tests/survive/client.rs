//! One streamed chat, and what its caller makes of it.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::wire;

/// The key that gets in.
pub(crate) const KEY: &str = "gw-survive";
/// The longest answer, in tokens.
const MAX_TOKENS: u32 = 90;

/// All of an answer that does not depend on who wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    finish: String,
    prompt_tokens: u64,
    completion_tokens: u64,
}

/// Asks question `number`; `on_piece` is told how much has come. What is wrong with a reply is given in words.
pub(crate) async fn ask(
    gateway: SocketAddr,
    number: usize,
    mut on_piece: impl FnMut(usize),
) -> anyhow::Result<Answer> {
    let question = ["Tell tale", "What of"][number % 2];
    let body = json!({
        "model": "m",
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_tokens": MAX_TOKENS,
        "messages": [{"role": "user", "content": format!("{question} {number}?")}],
    });
    let body = body.to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\n"
    );
    let reply = wire::exchange(gateway, &head, &body, |piece| {
        let events = piece.windows(6).filter(|at| at == b"data: ");
        on_piece(events.count());
    });
    let reply = reply.await?;
    let is_good = reply.status == 200 && reply.is_whole && reply.body.ends_with("data: [DONE]\n\n");
    anyhow::ensure!(is_good, "no whole answer: {reply:?}");
    let mut answer = Answer::default();
    let events = reply.body.split("\n\n");
    let events = events.filter_map(|event| event.strip_prefix("data: "));
    for event in events.filter(|event| *event != "[DONE]") {
        answer.add(&serde_json::from_str(event)?)?;
    }
    anyhow::ensure!(!answer.finish.is_empty(), "no end: {reply:?}");
    Ok(answer)
}

impl Answer {
    fn add(&mut self, event: &Value) -> anyhow::Result<()> {
        anyhow::ensure!(event.get("error").is_none(), "an error event: {event}");
        if let Some(usage) = event.get("usage").filter(|usage| usage.is_object()) {
            let count = |name: &str| usage[name].as_u64().unwrap_or_default();
            self.prompt_tokens = count("prompt_tokens");
            self.completion_tokens = count("completion_tokens");
        }
        let choice = &event["choices"][0];
        let said = choice["delta"]["content"].as_str();
        self.text += said.unwrap_or_default();
        if let Some(finish) = choice["finish_reason"].as_str() {
            anyhow::ensure!(self.finish.is_empty(), "two ends: {event}");
            finish.clone_into(&mut self.finish);
        }
        Ok(())
    }
}

//! A client that reads every reply to its end and checks what it says.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use gateway_benches::{Connection, Gateway, request};
use serde_json::Value;

/// One kept-alive connection that asks the same again and again.
pub(crate) struct Client {
    connection: Connection,
    request: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub(crate) fn connect(gateway: SocketAddr, body: &[u8]) -> Result<Self> {
        let key = format!("Bearer {}", Gateway::KEY);
        let headers = [("authorization", key.as_str())];
        Ok(Self {
            connection: Connection::connect(gateway)?,
            request: request("POST /v1/chat/completions", gateway, &headers, body),
        })
    }

    /// Asks once, reads all, and compares the text.
    ///
    /// # Errors
    /// An error, a cut-off reply, or another text.
    pub(crate) fn ask(&mut self, stream: bool, text: &str) -> Result<()> {
        self.connection.ask(&self.request)?;
        let body = self.connection.body()?;
        let said = if stream {
            streamed(&body)?
        } else {
            content(&serde_json::from_slice(&body)?, "message")
        };
        ensure!(said == text, "another text: {said:?} for {text:?}");
        Ok(())
    }
}

fn streamed(body: &[u8]) -> Result<String> {
    let (mut text, mut done) = (String::new(), false);
    for event in std::str::from_utf8(body)?
        .split("\n\n")
        .filter(|event| !event.is_empty())
    {
        let data = event
            .strip_prefix("data: ")
            .context("an event without data")?;
        if data == "[DONE]" {
            done = true;
        } else {
            text += &content(&serde_json::from_str(data)?, "delta");
        }
    }
    ensure!(done, "no [DONE]");
    Ok(text)
}

fn content(object: &Value, member: &str) -> String {
    object["choices"][0][member]["content"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

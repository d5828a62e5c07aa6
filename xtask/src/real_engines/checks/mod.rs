//! What must hold with two vLLM servers behind the gateway.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::MODEL;
use super::gateway::Gateway;
use super::talk::{Peer, Sides};
use super::vllm::Engine;
use crate::tally::Tally;

pub(super) mod answers;
mod cancel;
mod kv_events;
mod loss;
mod prefix;
mod telemetry;
mod tokens;

pub(super) const CHAT: &str = "/v1/chat/completions";
pub(super) const COMPLETIONS: &str = "/v1/completions";

/// The running servers.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) gateway: Gateway,
    pub(super) engines: [Engine; 2],
}

impl Bench {
    /// Every check in turn. The last ones take an engine down, so the order matters.
    pub(super) fn run(mut self, tally: &mut Tally) {
        let sides = Sides {
            direct: self.direct(),
            through: self.gateway.peer.clone(),
        };
        tally.record("no key, no answer", self.refuses_strangers());
        tally.record("chat as from the engine", answers::chat(&sides));
        tally.record(
            "chat stream as from the engine",
            answers::chat_stream(&sides),
        );
        tally.record(
            "completions as from the engine",
            answers::completions(&sides),
        );
        tally.record(
            "completions stream as from the engine",
            answers::completions_stream(&sides),
        );
        tally.record("a shared prefix goes to one engine", prefix::check(&self));
        tally.record("telemetry is read", telemetry::check(&self));
        tally.record("KV events tell who holds what", kv_events::told(&self));
        tokens::run(&self, tally);
        tally.record(
            "missed KV events are replayed",
            kv_events::replayed(&mut self),
        );
        tally.record("a closed stream frees its request", cancel::stream(&self));
        tally.record(
            "a closed stream by tokens frees its request",
            cancel::stream_by_tokens(&self),
        );
        tally.record("a closed call frees its request", cancel::call(&self));
        tally.record(
            "an engine killed under load loses nothing",
            loss::check(&mut self),
        );
        tally.record(
            "an engine that starts again holds nothing",
            kv_events::started_again(&mut self),
        );
    }

    fn refuses_strangers(&self) -> Result<String> {
        let stranger = Peer::new(&self.gateway.peer.url);
        match stranger.ask(CHAT, &chat("hello", 1)) {
            Err(error) if format!("{error:#}").contains("status 401") => Ok(String::new()),
            Err(error) => Err(error.context("expected status 401")),
            Ok(_) => bail!("a request without a key was answered"),
        }
    }

    /// The first engine, asked without the gateway.
    fn direct(&self) -> Peer {
        self.engines[0].peer()
    }

    /// Requests in hand on both engines together.
    fn in_hand(&self) -> Result<f64> {
        Ok(self.engines[0].in_hand()? + self.engines[1].in_hand()?)
    }

    /// A counter or gauge summed over both engines.
    fn sum(&self, metric: &str) -> Result<f64> {
        Ok(self.engines[0].metrics()?.sum(metric) + self.engines[1].metrics()?.sum(metric))
    }
}

/// The gateway's gauge `name` of an endpoint, where it has one.
fn gauge(bench: &Bench, endpoint: &str, name: &str) -> Option<f64> {
    bench.gateway.of_endpoint(endpoint, name)
}

/// A greedy chat request of one user message.
pub(super) fn chat(content: &str, max_tokens: u32) -> Value {
    json!({
        "model": MODEL,
        "messages": [{ "role": "user", "content": content }],
        "max_tokens": max_tokens,
        "temperature": 0,
    })
}

/// The same request as a stream with usage at its end.
pub(super) fn streamed(mut body: Value) -> Value {
    body["stream"] = json!(true);
    body["stream_options"] = json!({ "include_usage": true });
    body
}

//! What a chat of a warm conversation costs the running gateway, by tokens and by text.
//!
//! One gateway serves one model in both ways in front of one engine that answers at once. The same
//! conversation of 24.7 KB is asked over and over on some connections; CPU per request is read from
//! `/proc`, in alternating rounds. Every reply is checked to be whole and to say the same.
//!
//! `cargo run --release -p gateway-edge-bench [-- PATH_OF_GATEWAY]`

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program that measures, and prints what it measured"
)]

mod client;
mod engine;
mod gateway;
mod replies;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use gateway_benches::{Conversation, Gateway, Model};

use crate::client::Client;
use crate::replies::Replies;

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 16;
const SCENARIO: Duration = Duration::from_secs(3);
const WARM_UP: Duration = Duration::from_millis(700);
/// Names of the model, by text and by tokens.
const WAYS: [&str; 2] = ["text", "tokens"];

fn main() -> Result<()> {
    let binary = match std::env::args_os().nth(1) {
        Some(path) => PathBuf::from(path),
        None => testkit::gateway_binary()?,
    };
    println!(
        "CPU µs of the gateway per chat of 24.7 KB, {CONNECTIONS} connections, medians of {ROUNDS} rounds\n"
    );
    println!("| model | answer | by text | by tokens | × |\n| --- | --- | --- | --- | --- |");
    for model in [Model::Small, Model::Qwen3] {
        for (tokens, stream) in [(1, false), (48, false), (8, true), (48, true), (256, true)] {
            let [text, ids] = compare(&binary, model, tokens, stream)?;
            let kind = if stream { "streamed" } else { "whole" };
            println!(
                "| {} | {tokens} tokens, {kind} | {text:.0} | {ids:.0} | {:.2} |",
                model.name(),
                ids / text
            );
        }
    }
    Ok(())
}

/// CPU microseconds per request, by text and by tokens.
fn compare(
    binary: &std::path::Path,
    model: Model,
    tokens: usize,
    stream: bool,
) -> Result<[f64; 2]> {
    let replies = Replies::new(&model.load(), tokens);
    let engine = engine::start(replies.clone()).context("the engine's port")?;
    let told = gateway::configuration(engine, &model.folder());
    let gateway = Gateway::start(binary, &told)?;
    let bodies = WAYS.map(|way| body(way, stream));
    let mut micros = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        let length = if round == 0 { WARM_UP } else { SCENARIO };
        for at in [round % 2, (round + 1) % 2] {
            let before = gateway.cpu()?;
            let asked = load(
                gateway.address(),
                &bodies[at],
                &replies.text,
                stream,
                length,
            )?;
            let spent = gateway.cpu()?.saturating_sub(before);
            if round > 0 {
                micros[at].push(spent.as_secs_f64() * 1e6 / f64::from(asked));
            }
        }
    }
    Ok(micros.map(median))
}

/// The last question of a conversation of twelve rounds.
fn body(model: &str, stream: bool) -> Vec<u8> {
    let body = Conversation::new(7, 12, 20_000).chat_body(11);
    let mut body: serde_json::Value = serde_json::from_slice(&body).expect("our own body");
    body["model"] = model.into();
    body["stream"] = stream.into();
    if !stream && let Some(members) = body.as_object_mut() {
        members.remove("stream_options");
    }
    body.to_string().into_bytes()
}

/// Asks over all connections for so long; how many were answered.
fn load(
    gateway: SocketAddr,
    body: &[u8],
    text: &str,
    stream: bool,
    length: Duration,
) -> Result<u32> {
    let until = Instant::now() + length;
    thread::scope(|scope| {
        let work = || -> Result<u32> {
            let (mut client, mut asked) = (Client::connect(gateway, body)?, 0);
            while Instant::now() < until {
                client.ask(stream, text)?;
                asked += 1;
            }
            Ok(asked)
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panics"))
            .sum()
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

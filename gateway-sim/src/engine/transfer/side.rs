//! The listener beside an engine's API, for other engines.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{bootstrap, mindie};
use crate::engine::faults::FaultKind;
use crate::engine::shell::{Life, Shell};

/// The most bytes of a question: a whole request, where one is handed over.
const MOST_BYTES: usize = 32 << 20;

/// Answers other engines until this one stops; a dead engine's connections end at once.
pub(in crate::engine) async fn accept(listener: TcpListener, shell: Arc<Shell>) {
    let mut life = shell.life.subscribe();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((socket, _)) = accepted else {
                    tokio::task::yield_now().await;
                    continue;
                };
                while connections.try_join_next().is_some() {}
                if connections.len() >= shell.config.max_connections {
                    continue;
                }
                let shell = Arc::clone(&shell);
                let service = service_fn(move |request| answer(Arc::clone(&shell), request));
                let io = TokioIo::new(socket);
                connections.spawn(async move {
                    // How an exchange ends concerns nobody but its partner, who sees it.
                    let _ = http1::Builder::new().serve_connection(io, service).await;
                });
            }
            () = Life::reached(&mut life, Life::Stopping) => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
}

async fn answer(
    shell: Arc<Shell>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = Limited::new(request.into_body(), MOST_BYTES)
        .collect()
        .await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let answer = match path.as_str() {
        "/health" => Some(json!({})),
        "/query" => query(&shell),
        "/kv/handshake" => handshake(&shell),
        "/kv/fetch" => fetch(&shell, &body).await,
        "/kv/heartbeat" => heartbeat(&shell, &body),
        "/kv/release" => release(&shell, &body),
        "/room" => bootstrap::receive(&shell, &body).await,
        "/dmi/decode" => mindie::take(&shell, &body),
        _ => None,
    };
    let (status, text) = match answer {
        Some(value) => (StatusCode::OK, value.to_string()),
        None => (StatusCode::NOT_FOUND, String::new()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    Ok(response)
}

/// Mooncake's list of ranks.
fn query(shell: &Shell) -> Option<Value> {
    let own = shell.transfer.as_ref()?;
    let address = format!("{}:{}", own.host(), own.addr.port());
    Some(json!({"0": {"engine_id": own.engine_id, "worker_addr": address}}))
}

fn handshake(shell: &Shell) -> Option<Value> {
    Some(json!({"engine_id": shell.transfer.as_ref()?.engine_id}))
}

/// What is held under a name; nothing comes where a transfer is to fail.
async fn fetch(shell: &Shell, body: &Value) -> Option<Value> {
    if shell.faults.strike(FaultKind::TransferFailed).is_some() {
        let counts = &shell.transfer.as_ref()?.counts;
        counts.unsent.fetch_add(1, Relaxed);
        return None;
    }
    let wait = Duration::from_millis(body["wait_ms"].as_u64().unwrap_or(0));
    let (name, renews) = (body["name"].as_str()?, body["renews"] == true);
    let held = shell
        .held_within(name, shell.clock.wall(wait), renews)
        .await;
    Some(match held {
        Some(content) => {
            json!({"is_held": true, "prompt_hash": content.prompt_hash, "tokens": content.tokens})
        }
        None => json!({"is_held": false}),
    })
}

/// A decode engine still wants what is held for it.
fn heartbeat(shell: &Shell, body: &Value) -> Option<Value> {
    Some(json!({"is_held": shell.prolong(body["name"].as_str()?)}))
}

fn release(shell: &Shell, body: &Value) -> Option<Value> {
    Some(json!({"is_released": shell.let_go(body["name"].as_str()?)}))
}

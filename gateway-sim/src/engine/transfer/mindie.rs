//! MindIE's pairs (`inferMode` `dmi`). Sources: MindIE-LLM `http_handler.cpp`, `single_llm_prefill_req_handler.cpp`,
//! `single_llm_decode_req_handler.cpp`, `dresult_event_dispatcher.cpp`.
//!
//! A prefill engine hands each request to the decode engine that its headers name, and answers with the first token. A
//! decode engine says everything else of all requests in its answer to one `GET /dresult`, of which it has one at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Method, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::peer::{Peer, PeerError, ask};
use super::{Content, TransferRole, nixl};
use crate::engine::api::{Handed, Kind, decode};
use crate::engine::error::ApiError;
use crate::engine::flavour::Flavour;
use crate::engine::server::reply::{self, Body};
use crate::engine::shell::Shell;

/// Messages that wait for a listener; further ones wait for room.
const MOST_WAITING: usize = 10_000;
/// Requests that are decoded for others at a time.
const MOST_LIVE: usize = 16_384;
/// How long an engine says nothing before it says that it lives, in the model's time.
const SILENCE: Duration = Duration::from_secs(5);
/// The longest name of a request.
const MOST_ID: usize = 1_024;

/// What a decode engine remembers.
#[derive(Debug, Default)]
pub(in crate::engine) struct Dmi {
    /// Who listens now.
    listener: Mutex<Option<mpsc::Sender<Bytes>>>,
    live: Mutex<HashMap<String, AbortHandle>>,
}

impl Dmi {
    /// Says something; nobody hears it where nobody listens.
    async fn say(&self, message: Bytes) {
        let listener = self.listener().clone();
        if let Some(listener) = listener {
            // Whoever has gone meanwhile hears nothing.
            let _ = listener.send(message).await;
        }
    }

    /// Says something about one request: `word` is `data`, `lastData`, `error` or `retry`.
    pub(in crate::engine) async fn tell(&self, id: &str, word: &str, body: &[u8]) {
        let mut message = format!("reqId:{id}\0{word}:").into_bytes();
        message.extend_from_slice(body);
        message.push(0);
        self.say(message.into()).await;
    }

    fn listener(&self) -> MutexGuard<'_, Option<mpsc::Sender<Bytes>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, AbortHandle>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the headers of a prefill leg say.
#[derive(Clone, Debug)]
pub(in crate::engine) struct HandOver {
    pub(in crate::engine) id: String,
    target: Peer,
}

impl HandOver {
    /// The hand-over that a request asks for; none of an engine that takes no part in pairs, or is asked to hand over to
    /// itself.
    pub(in crate::engine) fn read(
        shell: &Shell,
        headers: &HeaderMap,
    ) -> Result<Option<Self>, ApiError> {
        let Some(own) = &shell.transfer else {
            return Ok(None);
        };
        let refuse = |why: &str| Err(ApiError::bad_request("", why));
        match own.config.role {
            _ if shell.config.flavour != Flavour::Mindie => return Ok(None),
            TransferRole::Any => return Ok(None),
            TransferRole::Decode => {
                return refuse(
                    "DMI inference requests can be sent only to the prefill node or p_percentage of the flex node == 0",
                );
            }
            TransferRole::Prefill => {}
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(kind), Some(id), Some(target)) =
            (text("req-type"), text("req-id"), text("d-target"))
        else {
            return refuse("DMI request must have req-type, req-id, d-target headers");
        };
        if id.len() > MOST_ID || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return refuse("Invalid req-id, the character of req-id should be hex char");
        }
        if kind != "prefill" {
            return refuse("Parameter req-type must be prefill");
        }
        let (host, port) = target.split_once(';').unwrap_or((target, ""));
        if host.parse::<std::net::Ipv4Addr>().is_err() {
            return refuse("Parameter d-target must be an IPv4 address");
        }
        let target = Peer {
            host: host.to_owned(),
            // The simulated engine has no port of its own to fall back to.
            port: port.parse().unwrap_or(1121),
        };
        let is_own = target.port == own.addr.port() && host == own.host().to_string();
        Ok((!is_own).then(|| Self {
            id: id.to_owned(),
            target,
        }))
    }

    /// Hands a request over to the decode engine.
    pub(in crate::engine) async fn send(
        &self,
        shell: &Shell,
        handed: &Handed,
    ) -> Result<(), ApiError> {
        let own = shell.transfer.as_ref().expect("it was read of one");
        let mut told = json!(handed);
        told["id"] = json!(self.id);
        told["host"] = json!(own.host().to_string());
        told["port"] = json!(own.addr.port());
        let sent = ask(&self.target, Method::POST, "/dmi/decode", &told).await;
        let why = match sent {
            Ok(_) => return Ok(()),
            Err(PeerError::Unreachable) => "failed to connect to all addresses",
            Err(PeerError::Lost) => "Socket closed",
            Err(PeerError::Refused) => "the decode node refused",
        };
        shell.let_go(&self.id);
        let message = format!("[P Node] Send D request failed:{why}");
        Err(ApiError::internal(&message))
    }
}

/// Reads what a prefill engine keeps for the request `id`, which it frees then, whatever has come of it.
pub(in crate::engine) async fn pull(
    shell: &Shell,
    peer: &Peer,
    id: &str,
) -> Result<Option<Content>, PeerError> {
    let held = nixl::pull(shell, peer, &json!({"name": id}), Duration::ZERO).await;
    nixl::release(peer, id).await;
    held
}

/// Takes a request from a prefill engine; none where it is not to be had.
pub(super) fn take(shell: &Arc<Shell>, told: &Value) -> Option<Value> {
    let own = shell.transfer.as_ref()?;
    let is_there = own.config.role == TransferRole::Decode && !shell.is_frozen();
    let id = told["id"].as_str().filter(|_| is_there)?.to_owned();
    let peer = Peer {
        host: told["host"].as_str()?.to_owned(),
        port: u16::try_from(told["port"].as_u64()?).ok()?,
    };
    let handed: Handed = serde_json::from_value(told.clone()).ok()?;
    let mut live = own.dmi.live();
    live.retain(|_, task| !task.is_finished());
    if live.len() >= MOST_LIVE {
        return None;
    }
    let task = tokio::spawn(decode(Arc::clone(shell), id.clone(), peer, handed));
    live.insert(id, task.abort_handle());
    Some(json!({}))
}

/// `GET /dresult`: whoever listened before is sent away.
pub(in crate::engine) fn listen(shell: &Arc<Shell>) -> Result<Response<Body>, ApiError> {
    let refuse = |why: &str| Err(ApiError::bad_request("", why));
    let Some(own) = &shell.transfer else {
        return refuse("Non DMI does not support dresult request");
    };
    if own.config.role != TransferRole::Decode {
        return refuse("Only the Decode node supports dresult");
    }
    let (said, heard) = mpsc::channel(MOST_WAITING);
    if let Some(before) = own.dmi.listener().replace(said) {
        let close = "reqId:0xffffffffffffffff\0close:new connection is to established, close the old one.\0";
        // A listener that takes nothing is not told.
        let _ = before.try_send(Bytes::from_static(close.as_bytes()));
    }
    let silence = shell.clock.wall(SILENCE);
    let shell = Arc::clone(shell);
    let chunks = stream::unfold((heard, shell), move |(mut heard, shell)| async move {
        let said = timeout(silence, heard.recv()).await;
        if shell.is_frozen() {
            std::future::pending::<()>().await;
        }
        let message = match said {
            Ok(None) => return None,
            Ok(Some(message)) => message,
            Err(_) => Bytes::from_static(b"ka:heartbeat\0"),
        };
        Some((Ok(Frame::data(message)), (heard, shell)))
    });
    Ok(reply::event_stream(StreamBody::new(chunks)))
}

/// `/v2/models/{m}/stopInfer`: the request is forgotten wherever it is.
pub(in crate::engine) fn stop(shell: &Shell, body: &Value) -> Result<Response<Body>, ApiError> {
    let id = body["id"].as_str().unwrap_or_default();
    let task = shell
        .transfer
        .as_ref()
        .and_then(|own| own.dmi.live().remove(id));
    if let Some(task) = &task {
        task.abort();
    }
    if task.is_none() && !shell.let_go(id) {
        return Err(ApiError::bad_request("id", "The request does not exist."));
    }
    Ok(reply::json(&json!({"id": id})))
}

/// The route that a hand-over names, and back.
pub(in crate::engine) fn route_of(kind: Kind) -> Option<&'static str> {
    use crate::engine::api::Style;
    match kind {
        Kind::Chat => Some("/v1/chat/completions"),
        Kind::Completions => Some("/v1/completions"),
        Kind::Text(Style::InferToken) => Some("/infer_token"),
        Kind::Text(Style::Infer) => Some("/infer"),
        _ => None,
    }
}

/// The kind of a route that [`route_of`] gives.
pub(in crate::engine) fn kind_of(route: &str) -> Option<Kind> {
    use crate::engine::api::Style;
    let kinds = [
        Kind::Chat,
        Kind::Completions,
        Kind::Text(Style::InferToken),
        Kind::Text(Style::Infer),
    ];
    kinds
        .into_iter()
        .find(|kind| route_of(*kind) == Some(route))
}

//! `SGLang`'s pairs: both legs get the same request at once and meet in a room of the prefill engine's bootstrap server.
//!
//! Nothing couples the legs but the KV: one whose partner fails or never comes waits until its time is over.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::TransferRole;
use super::hold::Content;
use super::leg::Leg;
use super::nixl;
use super::peer::{Peer, PeerError, ask};
use super::rooms::Outcome;
use super::state::Transfer;
use crate::engine::api::{Fields, Job};
use crate::engine::error::ApiError;
use crate::engine::faults::FaultKind;
use crate::engine::shell::Shell;
use crate::engine::ticket::Ticket;

/// The host that stands for no partner at all, as engines use it to warm up.
const FAKE_HOST: &str = "2.2.2.2";
/// The bootstrap server's port where a request names none.
const DEFAULT_PORT: u16 = 8998;

/// Where a decode leg meets its partner.
#[derive(Debug)]
pub(in crate::engine) struct Meeting {
    peer: Peer,
    room: u64,
}

/// The leg that a request is on an engine of this role.
pub(super) fn read(role: TransferRole, fields: Fields<'_>) -> Result<Option<Leg>, ApiError> {
    let refuse = |what: &str| {
        let message = format!("Invalid request: Disaggregated request received without {what}.");
        Err(ApiError::bad_request("", message))
    };
    if role == TransferRole::Any {
        return Ok(None);
    }
    let Some(room) = single(fields, "bootstrap_room").and_then(Value::as_u64) else {
        return refuse("bootstrap room id");
    };
    if role == TransferRole::Prefill {
        return Ok(Some(Leg::Send(room)));
    }
    let Some(host) = single(fields, "bootstrap_host").and_then(Value::as_str) else {
        return refuse("bootstrap host");
    };
    let port = single(fields, "bootstrap_port").and_then(Value::as_u64);
    let peer = Peer {
        host: host.to_owned(),
        port: port
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or(DEFAULT_PORT),
    };
    Ok(Some(Leg::Receive(Meeting { peer, room })))
}

/// A value, or the only one of a list, as in a batch of one.
fn single<'a>(fields: Fields<'a>, name: &str) -> Option<&'a Value> {
    match fields.get(name)? {
        Value::Array(list) => list.first(),
        value => Some(value),
    }
}

fn failure(room: u64, what: &str, why: &str) -> ApiError {
    ApiError::internal(&format!(
        "{what} for request rank=0 req.bootstrap_room={room} with exception KVTransferError(bootstrap_room={room}): {why}"
    ))
}

fn timed_out(own: &Transfer, room: u64, what: &str, state: &str) -> ApiError {
    let seconds = own.config.wait_ms / 1_000;
    failure(
        room,
        what,
        &format!("Request {room} timed out after {seconds}s in KVPoll.{state}"),
    )
}

/// The prefill leg: waits for its partner, computes one token and sends the KV over.
pub(super) async fn send(shell: &Arc<Shell>, job: &mut Job, room: u64) -> Result<Ticket, ApiError> {
    let Some(own) = &shell.transfer else {
        return shell.submit(job.submissions(), job.rank);
    };
    let seat = own.rooms.enter(room);
    seat.change(|room| room.has_prefill = true);
    let wait = shell.clock.wall(Duration::from_millis(own.config.wait_ms));
    if timeout(wait, seat.until(|room| room.has_decode))
        .await
        .is_err()
    {
        own.counts.failed.fetch_add(1, Relaxed);
        return Err(timed_out(
            own,
            room,
            "Prefill bootstrap failed",
            "Bootstrapping",
        ));
    }
    let mut ticket = shell.submit(job.submissions(), job.rank)?;
    ticket.finished(0).await;
    let content = Content::of(&job.prompts[0]);
    sleep(shell.clock.wall(own.span_of(content.tokens))).await;
    if shell.faults.strike(FaultKind::TransferFailed).is_some() {
        own.counts.failed.fetch_add(1, Relaxed);
        seat.change(|room| room.outcome = Some(Outcome::Failed));
        return Err(failure(
            room,
            "Prefill transfer failed",
            "Failed to send kv chunk",
        ));
    }
    seat.change(|room| room.outcome = Some(Outcome::Sent(content)));
    Ok(ticket)
}

/// The bootstrap server's side of a decode leg, for as long as that leg keeps the connection.
pub(super) async fn receive(shell: &Shell, body: &Value) -> Option<Value> {
    let own = shell.transfer.as_ref()?;
    let seat = own.rooms.enter(body["room"].as_u64()?);
    seat.change(|room| room.has_decode = true);
    let room = seat.until(|room| room.outcome.is_some()).await;
    match room.outcome? {
        Outcome::Sent(content) => {
            Some(json!({"prompt_hash": content.prompt_hash, "tokens": content.tokens}))
        }
        Outcome::Failed => None,
    }
}

/// The decode leg: meets its partner and answers with the KV that comes.
pub(super) async fn meet(
    shell: &Arc<Shell>,
    job: &mut Job,
    meeting: &Meeting,
) -> Result<Ticket, ApiError> {
    let Some(own) = &shell.transfer else {
        return shell.submit(job.submissions(), job.rank);
    };
    if meeting.peer.host == FAKE_HOST {
        return shell.submit(job.submissions(), job.rank);
    }
    let content = expect(shell, own, meeting).await;
    let content = content.inspect_err(|_| {
        own.counts.failed.fetch_add(1, Relaxed);
    })?;
    nixl::answer_with(shell, own, job, Some(content))
}

async fn expect(shell: &Shell, own: &Transfer, meeting: &Meeting) -> Result<Content, ApiError> {
    let Meeting { peer, room } = meeting;
    let failed = |why: &str| failure(*room, "Decode transfer failed", why);
    let wall = |ms| shell.clock.wall(Duration::from_millis(ms));
    if shell.faults.strike(FaultKind::TransferFailed).is_some() {
        return Err(failed("Failed to receive kv chunk"));
    }
    let question = json!({"room": room});
    let answer = ask(peer, Method::POST, "/room", &question);
    match timeout(wall(own.config.wait_ms), answer).await {
        Err(_) => Err(timed_out(
            own,
            *room,
            "Decode transfer failed",
            "WaitingForInput",
        )),
        Ok(Err(PeerError::Unreachable)) => {
            let why = format!(
                "Could not fetch prefill parallel info from {}:{}",
                peer.host, peer.port
            );
            Err(failure(*room, "Decode handshake failed", &why))
        }
        Ok(Err(PeerError::Lost)) => {
            sleep(wall(own.config.heartbeat_ms)).await;
            Err(failed("Lost connection with prefill instance"))
        }
        Ok(Err(PeerError::Refused)) => Err(failed(
            "Failed due to an unknown exception from another rank",
        )),
        Ok(Ok(answer)) => Ok(Content {
            prompt_hash: answer["prompt_hash"].as_u64().unwrap_or_default(),
            tokens: usize::try_from(answer["tokens"].as_u64().unwrap_or_default()).unwrap_or(0),
        }),
    }
}

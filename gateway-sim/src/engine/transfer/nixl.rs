//! vLLM's NIXL connector: the prefill leg's answer says where the KV is, and the decode engine pulls it.
//!
//! The prefill engine holds the blocks for a lease, which heartbeats of the decode engine prolong from the first contact
//! until the KV is there. The other direction, in which a prefill engine pulls what a decode engine still has
//! (`bidirectional_kv_xfer`, with its threshold of 64 tokens), is off unless vLLM is told otherwise, and is not simulated.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use gateway_core::Rng;
use http::Method;
use serde_json::{Value, json};

use super::hold::Content;
use super::peer::{Peer, PeerError, ask};
use super::state::Transfer;
use crate::engine::api::Job;
use crate::engine::error::ApiError;
use crate::engine::faults::FaultKind;
use crate::engine::shell::Shell;
use crate::engine::ticket::Ticket;

/// The shortest pause between two heartbeats, for engines whose time runs much faster than the clock.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);

/// What a prefill engine told the router of the KV it holds.
#[derive(Debug)]
pub(in crate::engine) struct Source {
    engine_id: String,
    name: String,
    peer: Peer,
}

impl Source {
    /// Reads the router's parameters. As with vLLM, a missing key means no transfer and no error.
    pub(super) fn read(params: &Value) -> Option<Self> {
        let blocks = params.get("remote_block_ids").and_then(Value::as_array)?;
        let text = |name: &str| Some(params.get(name)?.as_str()?.to_owned());
        let source = Self {
            engine_id: text("remote_engine_id")?,
            name: text("remote_request_id")?,
            peer: Peer {
                host: text("remote_host")?,
                port: u16::try_from(params.get("remote_port")?.as_u64()?).ok()?,
            },
        };
        (!blocks.is_empty()).then_some(source)
    }

    /// Frees the blocks over there, in a task of its own.
    pub(super) fn release_later(self, shell: &Arc<Shell>) {
        let peer = address(shell, &self);
        tokio::spawn(async move { release(&peer, &self.name).await });
    }
}

/// Where an engine is: as it was met the first time, whatever the parameters say by now.
fn address(shell: &Shell, source: &Source) -> Peer {
    let known = shell.transfer.as_ref();
    let known = known.and_then(|own| own.known(&source.engine_id));
    known.unwrap_or_else(|| source.peer.clone())
}

pub(super) async fn release(peer: &Peer, name: &str) {
    // An engine that is gone holds nothing.
    let _ = ask(peer, Method::POST, "/kv/release", &json!({"name": name})).await;
}

/// The prefill leg: computes, and tells where the blocks are if the answer ended at its limit.
pub(super) async fn offer(shell: &Arc<Shell>, job: &mut Job) -> Result<Ticket, ApiError> {
    let Some(own) = &shell.transfer else {
        return shell.submit(job.submissions(), job.rank);
    };
    let mut submissions = job.submissions();
    // One answer is one hand-off.
    let is_kept = submissions.len() == 1 && submissions[0].is_cut;
    let name = unique_name(shell, &job.id);
    submissions[0].kept_as = is_kept.then(|| name.clone());
    let mut ticket = shell.submit(submissions, job.rank)?;
    if is_kept {
        ticket.finished(0).await;
        job.handoff = params(own, &ticket, &name, job.prompts[0].len());
    }
    Ok(ticket)
}

fn unique_name(shell: &Shell, id: &str) -> String {
    let number = shell.counters.names.fetch_add(1, Relaxed);
    let tail = Rng::from_seed(number).next_u64() >> 32;
    format!("{id}-0-{tail:08x}")
}

/// What the answer tells, as vLLM 0.32 writes it.
fn params(own: &Transfer, ticket: &Ticket, name: &str, tokens: usize) -> Value {
    json!({
        "do_remote_prefill": true,
        "do_remote_decode": false,
        "remote_block_ids": [ticket.kept_blocks()],
        "remote_engine_id": own.engine_id,
        "remote_request_id": name,
        "remote_host": own.host().to_string(),
        "remote_port": own.addr.port(),
        "tp_size": 1,
        "dcp_size": 1,
        "pp_size": 1,
        "remote_num_tokens": tokens,
        "remote_blocks_expiry_time": null,
        "transfer_mode": "pull",
        "remote_prefill_cached_tokens": ticket.progress_of(0).cached_tokens,
    })
}

/// The decode leg: pulls, and answers with what came.
pub(super) async fn fetch(
    shell: &Arc<Shell>,
    job: &mut Job,
    source: Source,
) -> Result<Ticket, ApiError> {
    let Some(own) = &shell.transfer else {
        return shell.submit(job.submissions(), job.rank);
    };
    let peer = match meet(shell, own, &source).await {
        Ok(peer) => peer,
        Err(_) => return without(shell, own, job),
    };
    let question = json!({"name": source.name});
    let reading = async {
        let held = pull(shell, &peer, &question, Duration::ZERO).await?;
        let claim = Claim {
            peer: peer.clone(),
            name: Some(source.name.clone()),
        };
        read_over(shell, own, job, held, claim).await
    };
    let read = tokio::select! {
        biased;
        read = reading => read,
        never = keep_alive(shell, own, &peer, &source.name) => match never {},
    };
    match read {
        Ok(held) => answer_with(shell, own, job, held),
        Err(_) => without(shell, own, job),
    }
}

/// Prolongs the lease of what is held over there, six times in as long as it lasts.
async fn keep_alive(shell: &Shell, own: &Transfer, peer: &Peer, name: &str) -> Infallible {
    let lease = Duration::from_millis(own.config.lease_ms);
    let pause = shell.clock.wall(lease / 6).max(SHORTEST_PAUSE);
    let question = json!({"name": name});
    loop {
        tokio::time::sleep(pause).await;
        if shell.faults.strike(FaultKind::LoseHeartbeat).is_none() {
            // One that gets no answer is followed by another.
            let _ = ask(peer, Method::POST, "/kv/heartbeat", &question).await;
        }
    }
}

/// The first contact with an engine, after which it is known.
async fn meet(shell: &Shell, own: &Transfer, source: &Source) -> Result<Peer, PeerError> {
    if let Some(known) = own.known(&source.engine_id) {
        return Ok(known);
    }
    let wait = |ms| tokio::time::sleep(shell.clock.wall(Duration::from_millis(ms)));
    if shell.faults.strike(FaultKind::HandshakeTimeout).is_some() {
        wait(own.config.handshake_limit_ms).await;
        return Err(PeerError::Unreachable);
    }
    wait(own.config.handshake_ms).await;
    let answer = ask(&source.peer, Method::POST, "/kv/handshake", &json!({})).await?;
    if answer["engine_id"] != source.engine_id.as_str() {
        return Err(PeerError::Refused);
    }
    own.learn(&source.engine_id, &source.peer);
    Ok(source.peer.clone())
}

/// Asks for blocks, and for how long it may take until they are there; none where they are not held.
pub(super) async fn pull(
    shell: &Shell,
    peer: &Peer,
    question: &Value,
    wait: Duration,
) -> Result<Option<Content>, PeerError> {
    if shell.faults.strike(FaultKind::TransferFailed).is_some() {
        return Err(PeerError::Lost);
    }
    let mut question = question.clone();
    question["wait_ms"] = json!(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    let answer = ask(peer, Method::POST, "/kv/fetch", &question).await?;
    let is_held = answer["is_held"] == true;
    Ok(is_held.then(|| Content {
        prompt_hash: answer["prompt_hash"].as_u64().unwrap_or_default(),
        tokens: usize::try_from(answer["tokens"].as_u64().unwrap_or_default()).unwrap_or(0),
    }))
}

/// Blocks of another engine that are being read. Whoever stops reading frees them.
pub(super) struct Claim {
    pub(super) peer: Peer,
    pub(super) name: Option<String>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let (Some(name), Ok(runtime)) = (self.name.take(), tokio::runtime::Handle::try_current())
        {
            let peer = self.peer.clone();
            runtime.spawn(async move { release(&peer, &name).await });
        }
    }
}

/// Reads the blocks and answers. What is no longer held holds something else by now, and nobody notices: the answer is
/// wrong.
pub(super) async fn take_over(
    shell: &Arc<Shell>,
    own: &Transfer,
    job: &mut Job,
    held: Option<Content>,
    claim: Claim,
) -> Result<Ticket, ApiError> {
    match read_over(shell, own, job, held, claim).await {
        Ok(held) => answer_with(shell, own, job, held),
        Err(_) => without(shell, own, job),
    }
}

/// Reads the blocks and frees them over there; what they hold, which is nothing that is known where they were given to
/// others meanwhile.
async fn read_over(
    shell: &Shell,
    own: &Transfer,
    job: &Job,
    held: Option<Content>,
    mut claim: Claim,
) -> Result<Option<Content>, PeerError> {
    let tokens = job.prompts[0].len();
    tokio::time::sleep(shell.clock.wall(own.span_of(tokens))).await;
    let Some(name) = claim.name.take() else {
        return Ok(held);
    };
    let question = json!({"name": name});
    let answer = ask(&claim.peer, Method::POST, "/kv/release", &question).await?;
    Ok(held.filter(|_| answer["is_released"] == true))
}

/// Answers with KV that came, of whatever it is.
pub(super) fn answer_with(
    shell: &Arc<Shell>,
    own: &Transfer,
    job: &mut Job,
    held: Option<Content>,
) -> Result<Ticket, ApiError> {
    if held == Some(Content::of(&job.prompts[0])) {
        own.counts.fetched.fetch_add(1, Relaxed);
    } else {
        own.counts.spoilt.fetch_add(1, Relaxed);
        job.spoil(&shell.voice);
    }
    let mut submissions = job.submissions();
    for submission in &mut submissions {
        submission.brought_tokens = submission.prompt.len();
    }
    shell.submit(submissions, job.rank)
}

/// Goes on without KV that did not come, or fails, as configured.
pub(super) fn without(shell: &Arc<Shell>, own: &Transfer, job: &Job) -> Result<Ticket, ApiError> {
    own.counts.failed.fetch_add(1, Relaxed);
    if own.config.recomputes {
        return shell.submit(job.submissions(), job.rank);
    }
    Err(ApiError::internal("Internal server error"))
}

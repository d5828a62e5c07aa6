//! vLLM's Mooncake connector: both legs at once, under a name that the router makes up.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::nixl::{self, Claim};
use super::peer::{Peer, ask};
use crate::engine::api::Job;
use crate::engine::error::ApiError;
use crate::engine::shell::Shell;
use crate::engine::ticket::Ticket;

/// Where and under which name a prefill engine will hold KV.
#[derive(Debug)]
pub(in crate::engine) struct Appointment {
    transfer_id: String,
    engine_id: String,
    peer: Peer,
}

impl Appointment {
    /// Reads the router's parameters; none where one is missing, which means no transfer.
    pub(super) fn read(params: &Value) -> Option<Self> {
        let address = params.get("remote_bootstrap_addr")?.as_str()?;
        let address = address.strip_prefix("http://").unwrap_or(address);
        let (host, port) = address.trim_end_matches('/').rsplit_once(':')?;
        Some(Self {
            transfer_id: transfer_id(params)?,
            engine_id: params.get("remote_engine_id")?.as_str()?.to_owned(),
            peer: Peer {
                host: host.to_owned(),
                port: port.parse().ok()?,
            },
        })
    }
}

/// The router's name for a transfer.
pub(super) fn transfer_id(params: &Value) -> Option<String> {
    Some(params.get("transfer_id")?.as_str()?.to_owned())
}

/// The prefill leg: its answer tells nothing of the blocks.
pub(super) fn offer(shell: &Arc<Shell>, job: &Job, name: String) -> Result<Ticket, ApiError> {
    let mut submissions = job.submissions();
    if submissions.len() == 1 && submissions[0].is_cut {
        submissions[0].kept_as = Some(name);
    }
    shell.submit(submissions, job.rank)
}

/// The decode leg: waits for the other one's blocks.
pub(super) async fn fetch(
    shell: &Arc<Shell>,
    job: &mut Job,
    appointment: &Appointment,
) -> Result<Ticket, ApiError> {
    let Some(own) = &shell.transfer else {
        return shell.submit(job.submissions(), job.rank);
    };
    let Appointment {
        transfer_id,
        engine_id,
        peer,
    } = appointment;
    let ranks = ask(peer, Method::GET, "/query", &Value::Null).await;
    let is_there = |ranks: &Value| {
        let mut ranks = ranks.as_object().into_iter().flatten();
        ranks.any(|(_, rank)| rank["engine_id"] == engine_id.as_str())
    };
    if !ranks.as_ref().is_ok_and(is_there) {
        return nixl::without(shell, own, job);
    }
    let wait = Duration::from_millis(own.config.wait_ms);
    // Who is asked sends, and so knows that the blocks are still wanted.
    let question = json!({"name": transfer_id, "renews": true});
    match nixl::pull(shell, peer, &question, wait).await {
        Ok(Some(content)) => {
            let claim = Claim {
                peer: peer.clone(),
                name: Some(transfer_id.clone()),
            };
            nixl::take_over(shell, own, job, Some(content), claim).await
        }
        _ => nixl::without(shell, own, job),
    }
}

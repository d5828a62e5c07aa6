//! Requests that `MindIE`'s engines hand to one another: the first token here, the rest over there.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::{StreamExt, pin_mut};
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{self, Dialect, Fate};
use super::fields::Fields;
use super::job::Job;
use super::serve::{Kind, draw_fate, settle};
use super::stream::{Chunk, Streamer};
use crate::engine::error::ApiError;
use crate::engine::faults::FaultKind;
use crate::engine::server::reply::{self, Body};
use crate::engine::shell::Shell;
use crate::engine::ticket::Ticket;
use crate::engine::transfer::{Content, HandOver, Peer, Transfer, kind_of, pull, route_of};

/// Tokens that are there already, in a request that is to be computed anew. The real engine writes them behind the prompt.
const WRITTEN: &str = "sim_written";

/// A request on its way to a decode engine.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::engine) struct Handed {
    route: String,
    body: Value,
    /// What the request is called in its answer.
    name: String,
}

impl Handed {
    fn written(&self) -> usize {
        let written = self.body[WRITTEN].as_u64().unwrap_or(0);
        usize::try_from(written).unwrap_or(usize::MAX)
    }
}

/// The prefill leg: one token, whose blocks are kept for the decode engine.
pub(super) async fn prefill(
    shell: &Arc<Shell>,
    over: &HandOver,
    asked: (Kind, &Value, &str),
    (job, dialect): (Job, Box<dyn Dialect>),
) -> Result<Response<Body>, ApiError> {
    let (kind, body, name) = asked;
    let route = route_of(kind).ok_or_else(|| ApiError::bad_request("", "Not in dmi mode."))?;
    let handed = Handed {
        route: route.to_owned(),
        body: body.clone(),
        name: name.to_owned(),
    };
    let (streams, written) = (job.delivery.streams, handed.written());
    let is_last = job.choices[0].plan.len() <= written.saturating_add(1);
    let mut submissions = job.submissions();
    submissions.truncate(1);
    submissions[0].output = submissions[0].output[..1].into();
    submissions[0].is_cut = true;
    submissions[0].kept_as = (!is_last).then(|| over.id.clone());
    let mut ticket = shell.submit(submissions, job.rank)?;
    ticket.finished(0).await;
    let mut told = json!({"reqId": over.id, "isStream": streams});
    if streams {
        let mut streamer = Streamer::new(Arc::clone(shell), job, dialect, ticket, None);
        streamer.skip(written);
        told["isLastResp"] = json!(is_last);
        told["output"] = json!(String::from_utf8_lossy(&streamer.one_token()));
    } else if is_last {
        told["isLastResp"] = json!(true);
        let whole = answer::reply_whole(job, dialect, ticket, None).await?;
        told["output"] = json!(text_of(whole).await);
    }
    if !is_last {
        over.send(shell, &handed).await?;
    }
    Ok(reply::json(&told))
}

async fn text_of(whole: Response<Body>) -> String {
    let whole = whole.into_body().collect().await;
    let whole = whole.map(http_body_util::Collected::to_bytes);
    String::from_utf8_lossy(&whole.unwrap_or_default()).into_owned()
}

/// The decode engine's part of a request, told to whoever listens.
pub(in crate::engine) async fn decode(shell: Arc<Shell>, id: String, peer: Peer, handed: Handed) {
    let Some(own) = &shell.transfer else { return };
    if let Err(why) = answer(&shell, own, &id, &peer, &handed).await {
        own.dmi.tell(&id, "error", why.as_bytes()).await;
    }
}

async fn answer(
    shell: &Arc<Shell>,
    own: &Transfer,
    id: &str,
    peer: &Peer,
    handed: &Handed,
) -> Result<(), &'static str> {
    const BROKEN: &str = "Failed forward in for infer engine.";
    let fields = Fields::of_body(&handed.body).map_err(|_| BROKEN)?;
    let kind = kind_of(&handed.route).ok_or(BROKEN)?;
    let nothing = HeaderMap::new();
    let settled = settle(shell, kind, &nothing, fields, &handed.name, false).await;
    let (job, dialect) = settled.map_err(|_| BROKEN)?;
    let ticket = fetch(shell, own, id, peer, &job).await?;
    let fate = draw_fate(&shell.faults);
    if !job.delivery.streams {
        let whole = answer::reply_whole(job, dialect, ticket, fate).await;
        let text = text_of(whole.map_err(|_| BROKEN)?).await;
        own.dmi.tell(id, "lastData", text.as_bytes()).await;
        return Ok(());
    }
    let recomputed = fate.filter(|fate| fate.kind == FaultKind::Recomputed);
    let fate = fate.filter(|_| recomputed.is_none());
    let mut streamer = Streamer::new(Arc::clone(shell), job, dialect, ticket, fate);
    streamer.skip(handed.written().saturating_add(1));
    if let Some(Fate { after, .. }) = recomputed {
        return throw_out(own, id, handed, streamer, after as usize).await;
    }
    say(own, id, streamer).await
}

/// Reads the prefill engine's blocks, once, and begins to decode.
async fn fetch(
    shell: &Arc<Shell>,
    own: &Transfer,
    id: &str,
    peer: &Peer,
    job: &Job,
) -> Result<Ticket, &'static str> {
    const BROKEN: &str = "Failed forward in for infer engine.";
    let held = pull(shell, peer, id).await;
    let content = Content::of(&job.prompts[0]);
    tokio::time::sleep(shell.clock.wall(own.span_of(content.tokens))).await;
    match held {
        Ok(Some(held)) if held == content => own.counts.fetched.fetch_add(1, Relaxed),
        Ok(_) => {
            own.counts.failed.fetch_add(1, Relaxed);
            return Err("Pull kv failed irreversibly.");
        }
        Err(_) => {
            own.counts.failed.fetch_add(1, Relaxed);
            return Err("Pull kv failed reversibly.");
        }
    };
    let mut submissions = job.submissions();
    for submission in &mut submissions {
        submission.brought_tokens = submission.prompt.len();
    }
    shell.submit(submissions, job.rank).map_err(|_| BROKEN)
}

/// Tells what is generated; the last piece is told as such.
async fn say(own: &Transfer, id: &str, streamer: Streamer) -> Result<(), &'static str> {
    let chunks = streamer.into_stream();
    pin_mut!(chunks);
    let mut before = None;
    while let Some(chunk) = chunks.next().await {
        let data = data_of(chunk)?;
        if let Some(before) = before.replace(data) {
            own.dmi.tell(id, "data", &before).await;
        }
    }
    own.dmi
        .tell(id, "lastData", &before.unwrap_or_default())
        .await;
    Ok(())
}

fn data_of(chunk: Chunk) -> Result<bytes::Bytes, &'static str> {
    let frame = chunk.map_err(|_| "Failed to get token id from infer response.")?;
    Ok(frame.into_data().unwrap_or_default())
}

/// Generates `after` tokens and then wants the request again.
async fn throw_out(
    own: &Transfer,
    id: &str,
    handed: &Handed,
    mut streamer: Streamer,
    after: usize,
) -> Result<(), &'static str> {
    let room = streamer.left().saturating_sub(1);
    for _ in 0..after.min(room) {
        streamer.ticket.reached(0, streamer.written() + 1).await;
        own.dmi.tell(id, "data", &streamer.one_token()).await;
    }
    let mut body = handed.body.clone();
    body[WRITTEN] = json!(streamer.written());
    drop(streamer);
    // What it had was thrown out first.
    tokio::time::sleep(Duration::from_millis(1)).await;
    own.dmi.tell(id, "retry", body.to_string().as_bytes()).await;
    Ok(())
}

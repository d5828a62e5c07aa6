//! One response over WebSocket.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture};
use gateway_govern::keys;
use gateway_proto::{
    dialect::StreamEncoder as _,
    openai::{Api, RequestView},
    responses::{Framing, ResponsesRequest, decode_message},
};
use http::HeaderMap;

use super::Memory;
use crate::{
    clock,
    config::ServedModel,
    gate::Gate,
    metrics::Rejection,
    serve::{
        answer::{Encoded, Encoder as _, Question, translates},
        error_reply::Refusal,
        hints,
        responses::{
            fault::{invalid, refused},
            making::{self, Making, Ready},
            writing::Writing,
        },
    },
};
use gateway_proto::error::ApiError;

/// The status of a response whose caller left before it began, as proxies note it. It is counted as `other`.
const GONE: u16 = 499;

/// A response that is being made, and what it goes back to.
pub(super) struct Turn {
    model: Box<str>,
    previous: Option<String>,
    state: State,
}

enum State {
    /// It is looked up and asked for.
    Asking(BoxFuture<'static, Result<Begun, Refusal>>),
    Writing(Encoded),
    Over,
}

/// How a response begins.
enum Begun {
    /// An engine answers.
    Answered(Encoded),
    /// There is nothing to answer: these are its events.
    WarmedUp(Bytes),
}

/// Begins what a message asks for; `model` is set as soon as it is known.
///
/// # Errors
/// Where the message is no request, or the caller may not make it.
pub(super) async fn begin(
    gate: &Arc<Gate>,
    headers: &HeaderMap,
    text: Bytes,
    memory: &Memory,
    model: &mut Option<Box<str>>,
) -> Result<Turn, Refusal> {
    let rules = gate.rules.load_full();
    // A key may end, or be taken away, while its connection is open.
    let key = rules.keys.authenticate(headers, clock::unix_seconds())?;
    let view = RequestView::parse(Api::Responses, &text, &rules.limits.view)?;
    *model = Some(view.model.clone());
    key.check_model(&view.model)?;
    let decoded = decode_message(&text).map_err(invalid)?;
    let served = rules.served(&view.model);
    if !translates(Api::Responses, &served) {
        return Err(refused(not_here()));
    }
    let mut headers = headers.clone();
    let hints =
        hints::read(&headers, key).map_err(|error| Refusal::new(error, Rejection::Invalid))?;
    keys::strip(&mut headers);
    let question = Question {
        api: Api::Responses,
        body: Bytes::new(),
        headers,
        hints,
        owner: Arc::clone(key.name()),
    };
    Ok(Turn {
        model: view.model,
        previous: decoded.settings.previous_response_id.clone(),
        state: State::Asking(
            ask(
                Arc::clone(gate),
                decoded,
                (question, served),
                memory.clone(),
            )
            .boxed(),
        ),
    })
}

async fn ask(
    gate: Arc<Gate>,
    decoded: ResponsesRequest,
    (question, served): (Question, ServedModel),
    memory: Memory,
) -> Result<Begun, Refusal> {
    let generates = decoded.settings.generate;
    // One connection makes many requests, so that its own id names none of them.
    let from = (question, served, gate.ids.fresh());
    let ready = making::ready(&gate, decoded, Framing::Lines, from, Some(memory)).await?;
    let Ready {
        stream,
        keep,
        making,
    } = ready;
    let writing = Writing::new(stream, Some(keep));
    if generates {
        answered(&gate, writing, making).await
    } else {
        Ok(warmed_up(writing).await)
    }
}

async fn answered(gate: &Gate, writing: Writing, making: Making) -> Result<Begun, Refusal> {
    let reply = making.ask(gate).await?;
    Ok(Begun::Answered(Encoded::new(
        reply.events,
        Box::new(writing),
    )))
}

/// A response without an answer: it can be continued as any other.
async fn warmed_up(mut writing: Writing) -> Begun {
    let mut lines = Vec::new();
    writing.finish(&mut lines);
    if let Some(settling) = writing.settle() {
        settling.await;
    }
    Begun::WarmedUp(lines.into())
}

fn not_here() -> ApiError {
    let message = "This model's engines speak the Responses API themselves; use POST for it.";
    ApiError::invalid_request(message).with_code("websocket_not_supported")
}

/// What comes next of the turn; never anything without one.
pub(super) async fn next(turn: &mut Option<Turn>) -> Option<Result<Bytes, Box<Refusal>>> {
    match turn {
        Some(turn) => turn.next().await,
        None => std::future::pending().await,
    }
}

impl Turn {
    /// The next lines; `None` at its end. Can be given up and called again.
    async fn next(&mut self) -> Option<Result<Bytes, Box<Refusal>>> {
        loop {
            match &mut self.state {
                State::Asking(asking) => match asking.await {
                    Ok(Begun::Answered(encoded)) => self.state = State::Writing(encoded),
                    Ok(Begun::WarmedUp(lines)) => {
                        self.state = State::Over;
                        return Some(Ok(lines));
                    }
                    Err(refusal) => {
                        self.state = State::Over;
                        return Some(Err(Box::new(refusal)));
                    }
                },
                State::Writing(encoded) => return encoded.next().await.map(Ok),
                State::Over => return None,
            }
        }
    }

    pub(super) fn model(&self) -> &str {
        &self.model
    }

    /// The status of what its caller has seen, as HTTP would have told it.
    pub(super) fn status(&self) -> u16 {
        match self.state {
            State::Asking(_) => GONE,
            State::Writing(_) | State::Over => 200,
        }
    }

    /// Has `memory` forget what it could not go back to: the caller is to begin again from there.
    pub(super) fn forget(&self, memory: &Memory) {
        if let Some(previous) = &self.previous {
            memory.forget(previous);
        }
    }
}

//! A body on its way to an engine and back: one attempt, up to the first byte that may be shown to the caller.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use gateway_core::{EndpointId, hash};
use gateway_proto::{
    engines::transfer::{LegEdit, as_stream},
    error::ApiError,
    ir::Usage,
    openai::{Api, PromptShape, reply_facts},
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Limited};

use super::{
    ReplyBody, RouteReply, RouteRequest,
    flight::Flight,
    headers,
    prelude::{Prelude, broken},
    request::Keys,
    run::{Landed, run},
    silence::Patience,
    stream::StreamBody,
    work::{Opening, Sender, Subject, Work, tokens},
};
use crate::{
    BoxBody, Deadlines, ErrorKind, Retry, RouteError, SizeLimits,
    engine::{
        EngineCall, EngineReply,
        status::{self, ERROR_REPLY_BYTES},
    },
    router::Shared,
    snapshot::Snapshot,
};

/// Routes `request`.
pub(crate) async fn route(
    shared: &Shared,
    request: RouteRequest,
) -> Result<RouteReply, RouteError> {
    let snapshot = shared.snapshot.load_full();
    run(shared, &snapshot, &request)
        .await
        .map(Begun::into_reply)
}

/// The beginning of an engine's reply: nothing of it was shown yet.
pub(super) struct Opened {
    status: StatusCode,
    headers: HeaderMap,
    body: OpenedBody,
}

enum OpenedBody {
    Whole(Bytes, Option<Usage>),
    Stream(Prelude),
}

/// A reply that has begun: nothing can be retried any more.
pub(super) struct Begun {
    opened: Opened,
    patience: Patience,
}

impl Begun {
    fn into_reply(landed: Landed<Self>) -> RouteReply {
        let Self { opened, patience } = landed.begun;
        let body = match opened.body {
            OpenedBody::Whole(whole, _) => ReplyBody::from(whole),
            OpenedBody::Stream(prelude) => {
                ReplyBody::stream(StreamBody::new(prelude, landed.flight, patience))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = opened.status;
        *response.headers_mut() = opened.headers;
        RouteReply {
            response,
            endpoint: landed.endpoint,
            explanation: landed.explanation,
            pair: landed.pair,
            hedge: landed.hedge,
        }
    }
}

impl Work for RouteRequest {
    type Opened = Opened;
    type Begun = Begun;

    fn subject(&self) -> Subject<'_> {
        let view = &self.view;
        let session = view.session_key(&self.body).map(|key| hash::seed(&[key]));
        Subject {
            api: view.api,
            model: &view.model,
            request_id: &self.request_id,
            leg: self.leg,
            hints: &self.hints,
            stream: view.stream,
            engine_streams: view.stream,
            prompt_tokens: tokens(view.prompt_size.tokens),
            max_tokens: view.max_tokens.map_or(0, tokens),
            session,
        }
    }

    fn keys(&self, snapshot: &Snapshot, is_adapter: bool) -> Keys {
        Self::keys(self, &snapshot.text, &snapshot.feeds, is_adapter)
    }

    fn is_chat_to_engines(&self) -> bool {
        self.view.api == Api::ChatCompletions
    }

    /// The hand-over is one choice's, of a prompt in OpenAI's words, and of a single token nothing is left to decode.
    fn can_split(&self) -> bool {
        let view = &self.view;
        let is_one_prompt = match view.api {
            Api::ChatCompletions => true,
            Api::Completions => {
                matches!(view.shape, PromptShape::Text | PromptShape::TokenIds { .. })
            }
            _ => false,
        };
        is_one_prompt && view.n == 1 && view.max_tokens.is_none_or(|most| most > 1)
    }

    fn open(&self, snapshot: &Snapshot, id: EndpointId, edit: Option<&LegEdit>) -> Opening<Opened> {
        let call = self.call_of(snapshot.deadlines, edit);
        let engine = Arc::clone(snapshot.engine(id));
        let limits = snapshot.limits;
        Box::pin(async move {
            let reply = engine.send(call?).await?;
            read(reply, limits).await
        })
    }

    fn prefill(&self, snapshot: &Snapshot, id: EndpointId, edit: &LegEdit) -> Opening<EngineReply> {
        let edit = edit.clone().for_text(self.is_chat_to_engines());
        let call = self.call_of(snapshot.deadlines, Some(&edit));
        let engine = Arc::clone(snapshot.engine(id));
        Box::pin(async move { engine.send(call?).await })
    }

    fn sender(&self, snapshot: &Snapshot, id: EndpointId) -> Sender {
        let (request, deadlines) = (self.clone(), snapshot.deadlines);
        let engine = Arc::clone(snapshot.engine(id));
        Box::new(move |edit| {
            let call = request.call_of(deadlines, Some(edit));
            let engine = Arc::clone(&engine);
            Box::pin(async move { engine.send(call?).await })
        })
    }

    fn read(&self, snapshot: &Snapshot, _id: EndpointId, reply: EngineReply) -> Opening<Opened> {
        Box::pin(read(reply, snapshot.limits))
    }

    fn adopt(&self, snapshot: &Snapshot, _id: EndpointId, answer: Bytes) -> Opening<Opened> {
        let limits = snapshot.limits;
        let reply = if self.view.stream {
            as_stream(&answer).map(EngineReply::of_events)
        } else {
            Some(EngineReply::of_json(answer))
        };
        Box::pin(async move {
            let reply = reply.ok_or_else(|| broken("The engine's reply made no sense."))?;
            read(reply, limits).await
        })
    }

    fn begin(
        &self,
        opened: Opened,
        snapshot: &Snapshot,
        flight: &mut Flight,
        total: Duration,
    ) -> Begun {
        if let OpenedBody::Whole(_, usage) = &opened.body {
            flight.complete(*usage, None);
        }
        flight.report.status = Some(opened.status.as_u16());
        Begun {
            opened,
            patience: Patience {
                idle: snapshot.deadlines.idle,
                total: total.saturating_sub(flight.age()),
            },
        }
    }
}

impl RouteRequest {
    fn call_of(
        &self,
        deadlines: Deadlines,
        edit: Option<&LegEdit>,
    ) -> Result<EngineCall, RouteError> {
        let mut headers = headers::for_engine(&self.headers, &self.leg.id(&self.request_id));
        headers::of_leg(edit, &mut headers);
        let idle_options = self.view.has_stream_options && !self.view.stream;
        let body = match edit {
            None if !idle_options => Ok(self.body.clone()),
            edit => {
                let edit = edit.cloned().unwrap_or_default();
                let edit = if idle_options {
                    edit.unstreamed()
                } else {
                    edit
                };
                edit.apply(&self.body)
            }
        };
        let body = body.map_err(|_| {
            let api = ApiError::invalid_request("The request is not a JSON object.");
            RouteError::new(ErrorKind::BadRequest, Retry::Never, api)
        })?;
        Ok(EngineCall {
            api: self.view.api,
            body,
            headers,
            deadlines,
            is_once: edit.is_some(),
        })
    }
}

/// Reads a reply until there is something to show.
async fn read(reply: EngineReply, limits: SizeLimits) -> Result<Opened, RouteError> {
    let EngineReply {
        status,
        headers: told,
        body,
    } = reply;
    if !status.is_success() {
        let words = Limited::new(body, ERROR_REPLY_BYTES).collect().await;
        let words = words.map(|whole| whole.to_bytes()).unwrap_or_default();
        return Err(status::read(status, &words));
    }
    let body = if headers::is_event_stream(&told) {
        OpenedBody::Stream(Prelude::read(limits, body).await?)
    } else {
        whole(limits, body).await?
    };
    Ok(Opened {
        status,
        headers: headers::for_caller(told),
        body,
    })
}

/// Reads a whole reply. Nothing was shown to the caller, so whatever goes wrong here may be tried elsewhere.
async fn whole(limits: SizeLimits, body: BoxBody) -> Result<OpenedBody, RouteError> {
    let read = Limited::new(body, limits.reply_bytes).collect().await;
    let whole = read
        .map_err(|_| broken("The engine's reply broke off or was too large."))?
        .to_bytes();
    let facts = reply_facts(&whole);
    if facts.aborted {
        return Err(broken("The engine gave the request up."));
    }
    Ok(OpenedBody::Whole(whole, facts.usage))
}

//! One attempt at a call for tokens, up to the first tokens.

use std::{future::poll_fn, sync::Arc, time::Duration};

use bytes::Bytes;
use gateway_core::{EndpointId, Timestamp, residency::Keying};
use gateway_proto::{
    engines::{
        TokenCall, TokenEvent,
        transfer::{LegEdit, as_stream},
    },
    openai::Api,
};
use http::HeaderMap;

use super::{
    super::{
        flight::Flight,
        headers,
        request::Keys,
        run::{Landed, run},
        silence::Patience,
        work::{Opening, Sender, Subject, Work, tokens},
    },
    TokenReply, TokenRequest, TokenStream,
    lane::{Asked, Lane},
    survival::Survival,
};
use crate::{
    ErrorKind, Hints, Leg, Resumption, Retry, RouteError,
    engine::{BoxTokens, EngineReply, Flow, GenerateCall},
    feed::id_keys,
    router::Shared,
    snapshot::Snapshot,
};

/// Routes `request`.
pub(crate) async fn generate(
    shared: &Arc<Shared>,
    mut request: TokenRequest,
) -> Result<TokenReply, RouteError> {
    let snapshot = shared.snapshot.load_full();
    if !request.leg.is_continuation() {
        shared.migrations.earn(&snapshot.migration.budget());
    }
    request.call.is_adapter = snapshot.fleet.is_adapter(&request.call.model);
    let work = Arc::new(TokenWork::of(request, shared.clock.now()));
    let landed = run(shared, &snapshot, &*work).await?;
    let survival = Survival::of(shared, &snapshot, &work, landed.deaths);
    Ok(into_reply(landed, &work.call, survival))
}

fn into_reply(
    landed: Landed<Begun>,
    call: &TokenCall,
    survival: Option<Box<Survival>>,
) -> TokenReply {
    let asked = Asked {
        prompt_tokens: call.prompt.len() as u64,
        only: None,
        since: None,
    };
    let Landed { begun, flight, .. } = landed;
    let first = |out: &mut Vec<_>| Lane::begin(begun, flight, asked, out);
    TokenReply {
        endpoint: landed.endpoint,
        explanation: landed.explanation,
        pair: landed.pair,
        hedge: landed.hedge,
        events: TokenStream::new(first, survival, asked.prompt_tokens),
    }
}

/// A [`TokenRequest`] whose call is shared with the engines' clients.
pub(super) struct TokenWork {
    pub(super) call: Arc<TokenCall>,
    api: Api,
    pub(super) stream: bool,
    pub(super) request_id: Arc<str>,
    leg: Leg,
    headers: HeaderMap,
    pub(super) hints: Hints,
    began: Timestamp,
}

impl TokenWork {
    fn of(request: TokenRequest, now: Timestamp) -> Self {
        Self {
            began: request.leg.began.unwrap_or(now),
            call: Arc::new(request.call),
            api: request.api,
            stream: request.stream,
            request_id: request.request_id,
            leg: request.leg,
            headers: request.headers,
            hints: request.hints,
        }
    }

    fn call_of(
        &self,
        snapshot: &Snapshot,
        edit: Option<LegEdit>,
        call: Arc<TokenCall>,
    ) -> GenerateCall {
        let mut headers = headers::for_engine(&self.headers, &self.leg.id(&self.request_id));
        headers::of_leg(edit.as_ref(), &mut headers);
        GenerateCall {
            call,
            edit,
            headers,
            deadlines: snapshot.deadlines,
            event_bytes: snapshot.limits.event_bytes,
        }
    }

    /// `call` takes up what is left of this one; its time runs on.
    pub(super) fn resumed(&self, mut call: TokenCall, resumes: Resumption) -> Self {
        let Resumption { number, .. } = resumes;
        call.request_id = call.request_id.map(|id| format!("{id}-{number}"));
        Self {
            call: Arc::new(call),
            api: self.api,
            stream: self.stream,
            request_id: Arc::clone(&self.request_id),
            leg: Leg {
                began: Some(self.began),
                resumes: Some(resumes),
                ..self.leg
            },
            headers: self.headers.clone(),
            hints: Hints {
                explain: false,
                ..self.hints.clone()
            },
            began: self.began,
        }
    }
}

/// The first tokens of an engine.
pub(super) struct Opened {
    pub(super) first: Vec<TokenEvent>,
    pub(super) flow: Flow,
    pub(super) source: BoxTokens,
}

/// Tokens that have begun to come.
pub(super) struct Begun {
    pub(super) opened: Opened,
    pub(super) patience: Patience,
}

impl Work for TokenWork {
    type Opened = Opened;
    type Begun = Begun;

    fn subject(&self) -> Subject<'_> {
        Subject {
            api: self.api,
            model: &self.call.model,
            request_id: &self.request_id,
            leg: self.leg,
            hints: &self.hints,
            stream: self.stream,
            engine_streams: true,
            prompt_tokens: tokens(self.call.prompt.len() as u64),
            max_tokens: tokens(self.call.max_tokens),
            session: None,
        }
    }

    /// Exactly the keys that the engines' own events are translated to.
    fn keys(&self, snapshot: &Snapshot, is_adapter: bool) -> Keys {
        let block_tokens = snapshot.feeds.block_tokens;
        let blocks = id_keys(
            &self.call.prompt,
            is_adapter.then_some(&*self.call.model),
            self.call.cache_salt.as_deref(),
            block_tokens,
            snapshot.text.blocks_at_most,
        );
        Keys {
            blocks,
            block_tokens,
            keying: Keying::Tokens,
        }
    }

    /// Whatever the caller asked for, engines complete ids.
    fn is_chat_to_engines(&self) -> bool {
        false
    }

    /// The hand-over is one choice's, and of a single token nothing is left to decode.
    fn can_split(&self) -> bool {
        self.call.choices() == 1 && self.call.max_tokens > 1
    }

    fn open(&self, snapshot: &Snapshot, id: EndpointId, edit: Option<&LegEdit>) -> Opening<Opened> {
        let call = self.call_of(snapshot, edit.cloned(), Arc::clone(&self.call));
        let engine = Arc::clone(snapshot.engine(id));
        Box::pin(async move { first_tokens(engine.generate(call).await?).await })
    }

    fn prefill(&self, snapshot: &Snapshot, id: EndpointId, edit: &LegEdit) -> Opening<EngineReply> {
        let mut asked = Arc::clone(&self.call);
        if edit.is_one_token() {
            let asked = Arc::make_mut(&mut asked);
            asked.max_tokens = 1;
            asked.sampling.min_tokens = None;
        }
        let call = self.call_of(snapshot, Some(edit.clone()), asked);
        let engine = Arc::clone(snapshot.engine(id));
        Box::pin(async move { engine.prefill(call).await })
    }

    fn sender(&self, snapshot: &Snapshot, id: EndpointId) -> Sender {
        let bare = self.call_of(snapshot, None, Arc::clone(&self.call));
        let engine = Arc::clone(snapshot.engine(id));
        Box::new(move |edit| {
            let mut call = bare.clone();
            headers::of_leg(Some(edit), &mut call.headers);
            call.edit = Some(edit.clone());
            let engine = Arc::clone(&engine);
            Box::pin(async move { engine.prefill(call).await })
        })
    }

    fn read(&self, snapshot: &Snapshot, id: EndpointId, reply: EngineReply) -> Opening<Opened> {
        let call = self.call_of(snapshot, None, Arc::clone(&self.call));
        let engine = Arc::clone(snapshot.engine(id));
        Box::pin(async move {
            let source = engine.read_tokens(&call, reply).ok_or_else(nothing_came)?;
            first_tokens(source).await
        })
    }

    fn adopt(&self, snapshot: &Snapshot, id: EndpointId, answer: Bytes) -> Opening<Opened> {
        let call = self.call_of(snapshot, None, Arc::clone(&self.call));
        let engine = Arc::clone(snapshot.engine(id));
        Box::pin(async move {
            let events = as_stream(&answer).ok_or_else(nothing_came)?;
            let reply = EngineReply::of_events(events);
            let source = engine.read_tokens(&call, reply).ok_or_else(nothing_came)?;
            first_tokens(source).await
        })
    }

    fn begin(
        &self,
        opened: Opened,
        snapshot: &Snapshot,
        flight: &mut Flight,
        total: Duration,
    ) -> Begun {
        flight.report.status = Some(http::StatusCode::OK.as_u16());
        Begun {
            opened,
            patience: Patience {
                idle: snapshot.deadlines.idle,
                total: total.saturating_sub(flight.age()),
            },
        }
    }
}

async fn first_tokens(mut source: BoxTokens) -> Result<Opened, RouteError> {
    let mut first = Vec::new();
    let flow = poll_fn(|cx| source.as_mut().poll_more(cx, &mut first)).await?;
    if first.is_empty() {
        return Err(nothing_came());
    }
    Ok(Opened {
        first,
        flow,
        source,
    })
}

fn nothing_came() -> RouteError {
    let message = "The engine's stream ended before it began.";
    RouteError::engine(ErrorKind::Broken, Retry::OtherEndpoint, message)
}

//! The shared base: any engine that speaks OpenAI's routes over HTTP/1.1.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use gateway_core::load::{AdapterUse, Telemetry};
use gateway_proto::openai::{ModelCard, decode_models};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::{
    BoxTokens, EngineCall, EngineClient, EngineReply, GenerateCall, Profile, adapters,
    bootstrap::Bootstrap, events, generate, readings, results, rungs::Rungs, side,
};
use crate::{
    Credential, EngineKind, ErrorKind, Retry, RouteError,
    feed::FeedSource,
    wire::{Connection, EngineBody, Pool, SendError, Target, grievance},
};

/// The largest answer to a probe, a telemetry reading or a models list, in bytes.
const SIDE_REPLY_BYTES: usize = 8 << 20;

/// Picks a data-parallel rank, with vLLM and `SGLang` alike.
const RANK: HeaderName = HeaderName::from_static("x-data-parallel-rank");

/// An engine behind OpenAI's HTTP routes.
pub struct HttpEngine {
    pub(super) pool: Arc<Pool>,
    /// For questions beside the work; the same one where the target names no other address.
    side: Arc<Pool>,
    pub(super) profile: Profile,
    credential: Option<Credential>,
    pub(super) side_timeout: Duration,
    /// The data-parallel rank that all its requests are for.
    pub(super) rank: Option<u32>,
    pub(super) rungs: Rungs,
    adapter_use: Mutex<Option<AdapterUse>>,
    bootstrap: Bootstrap,
}

impl HttpEngine {
    /// An engine at `target`. `idle_connections` bounds the idle connections kept per thread; `side_timeout` bounds
    /// probes, readings and lists.
    #[must_use]
    pub fn new(
        target: Target,
        kind: EngineKind,
        credential: Option<Credential>,
        idle_connections: usize,
        side_timeout: Duration,
    ) -> Self {
        let (side, rank) = (target.management().cloned(), target.rank());
        let pool = Arc::new(Pool::new(target, idle_connections));
        let side = side.map(|target| Arc::new(Pool::new(target, idle_connections)));
        Self {
            side: side.unwrap_or_else(|| Arc::clone(&pool)),
            pool,
            profile: Profile::of(kind),
            credential,
            side_timeout,
            rank,
            rungs: Rungs::default(),
            adapter_use: Mutex::default(),
            bootstrap: Bootstrap::default(),
        }
    }

    /// Shares the connections of other ranks at the same address.
    pub(crate) fn sharing(mut self, pools: &mut HashMap<(String, u16), Vec<Arc<Pool>>>) -> Self {
        if self.rank.is_none() {
            return self;
        }
        let address = self.pool.target().without_rank();
        let (host, port) = address.address();
        let there = pools.entry((host.to_owned(), port)).or_default();
        let same = |pool: &&Arc<Pool>| pool.target().without_rank() == address;
        let Some(pool) = there.iter().find(same) else {
            there.push(Arc::clone(&self.pool));
            return self;
        };
        if Arc::ptr_eq(&self.side, &self.pool) {
            self.side = Arc::clone(pool);
        }
        self.pool = Arc::clone(pool);
        self
    }

    fn told_use(&self) -> MutexGuard<'_, Option<AdapterUse>> {
        self.adapter_use
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn request(
        &self,
        target: &Target,
        method: Method,
        route: &'static str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = target.path(route);
        *request.headers_mut() = headers;
        let headers = request.headers_mut();
        headers.insert(header::HOST, target.authority().clone());
        if let Some(credential) = &self.credential {
            headers.insert(header::AUTHORIZATION, credential.header().clone());
        }
        if let Some(rank) = self.rank {
            headers.insert(RANK, HeaderValue::from(rank));
        }
        request
    }

    /// Sends on an idle connection, else on a new one. A used connection that dies before a byte of reply was most
    /// likely closed by the engine as idle, so the request goes out once more on a new one: it was never begun. Where no
    /// new one can be had the engine has died, perhaps of this request, and the error says so.
    pub(super) async fn exchange(
        pool: &Pool,
        request: Request<Full<Bytes>>,
        connect: Duration,
    ) -> Result<(Response<Incoming>, Connection), SendError> {
        let mut died = false;
        if let Some(mut connection) = pool.idle() {
            match connection.send(request.clone()).await {
                Ok(reply) => return Ok((reply, connection)),
                Err(SendError::Closed { reused: true }) => died = true,
                Err(other) => return Err(other),
            }
        }
        let opened = pool.open(connect).await;
        let mut connection = opened.map_err(|error| match error {
            SendError::Connect(_) if died => SendError::Closed { reused: false },
            other => other,
        })?;
        let reply = connection.send(request).await?;
        Ok((reply, connection))
    }

    /// The same, but never on two connections: what the engine may have begun is not to reach it again.
    async fn exchange_once(
        pool: &Pool,
        request: Request<Full<Bytes>>,
        connect: Duration,
    ) -> Result<(Response<Incoming>, Connection), SendError> {
        let mut connection = match pool.idle() {
            Some(connection) => connection,
            None => pool.open(connect).await?,
        };
        let reply = connection.send(request).await?;
        Ok((reply, connection))
    }

    /// Sends JSON and waits for the head of the reply.
    pub(super) async fn post(
        &self,
        route: &'static str,
        headers: HeaderMap,
        body: Bytes,
        connect: Duration,
    ) -> Result<EngineReply, RouteError> {
        self.post_as(false, route, headers, body, connect).await
    }

    /// The same; `is_once` says that it must not go out twice.
    pub(super) async fn post_as(
        &self,
        is_once: bool,
        route: &'static str,
        headers: HeaderMap,
        body: Bytes,
        connect: Duration,
    ) -> Result<EngineReply, RouteError> {
        let mut request = self.request(self.pool.target(), Method::POST, route, headers, body);
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        let exchanged = if is_once {
            Self::exchange_once(&self.pool, request, connect).await
        } else {
            Self::exchange(&self.pool, request, connect).await
        };
        let (reply, connection) = exchanged.map_err(unsent)?;
        let (head, body) = reply.into_parts();
        let body = EngineBody::new(body, connection, Arc::clone(&self.pool));
        Ok(EngineReply {
            status: head.status,
            headers: head.headers,
            body: body.boxed_unsync(),
        })
    }

    /// A small `GET`, on the address for such questions, with its whole answer in time.
    pub(super) async fn ask(&self, route: &'static str) -> Result<(StatusCode, Bytes), RouteError> {
        let answer = timeout(self.side_timeout, self.ask_unbounded(route)).await;
        answer.unwrap_or_else(|_| {
            let message = format!("{route} did not answer");
            Err(RouteError::engine(
                ErrorKind::Timeout,
                Retry::OtherEndpoint,
                message,
            ))
        })
    }

    async fn ask_unbounded(&self, route: &'static str) -> Result<(StatusCode, Bytes), RouteError> {
        let target = self.side.target();
        let request = self.request(target, Method::GET, route, HeaderMap::new(), Bytes::new());
        let exchanged = Self::exchange(&self.side, request, self.side_timeout).await;
        let (reply, connection) = exchanged.map_err(|error| side::unasked(target, error))?;
        let status = reply.status();
        let body = EngineBody::new(reply.into_body(), connection, Arc::clone(&self.side));
        let whole = Limited::new(body, SIDE_REPLY_BYTES).collect().await;
        let whole = whole.map_err(|_| broken())?;
        Ok((status, whole.to_bytes()))
    }

    /// An engine that cannot be reached may be starting anew, with other routes switched on.
    fn note_death(&self, error: &RouteError) {
        if matches!(error.kind(), ErrorKind::Connect | ErrorKind::Closed) {
            self.rungs.forget();
        }
    }
}

#[async_trait]
impl EngineClient for HttpEngine {
    async fn send(&self, call: EngineCall) -> Result<EngineReply, RouteError> {
        let EngineCall {
            api,
            body,
            headers,
            deadlines,
            is_once,
        } = call;
        self.post_as(is_once, api.path(), headers, body, deadlines.connect)
            .await
    }

    async fn generate(&self, call: GenerateCall) -> Result<BoxTokens, RouteError> {
        let answer = generate::send(self, call).await;
        if let Err(error) = &answer {
            self.note_death(error);
        }
        answer
    }

    async fn prefill(&self, call: GenerateCall) -> Result<EngineReply, RouteError> {
        let answer = generate::post(self, &call).await;
        if let Err(error) = &answer {
            self.note_death(error);
        }
        answer.map(|(_, reply)| reply)
    }

    async fn ask_bootstrap(&self, host: &str, port: u16) -> Result<Bytes, RouteError> {
        self.bootstrap.ask(host, port, self.side_timeout).await
    }

    fn forget_bootstrap(&self) {
        self.bootstrap.forget();
    }

    fn read_tokens(&self, call: &GenerateCall, reply: EngineReply) -> Option<BoxTokens> {
        generate::read(self, call, reply)
    }

    async fn results(&self) -> Result<EngineReply, RouteError> {
        results::open(self).await
    }

    async fn stop(&self, model: &str, id: &str) -> Result<(), RouteError> {
        results::stop(self, model, id).await
    }

    async fn probe(&self) -> Result<(), RouteError> {
        let answer = side::first_of(self, self.profile.health, &self.rungs.health).await;
        if let Err(error) = &answer {
            self.note_death(error);
        }
        answer.map(drop)
    }

    async fn telemetry(&self) -> Result<Telemetry, RouteError> {
        let read = readings::read(self).await;
        let adapters = read.as_ref().ok().and_then(|said| said.adapters.clone());
        *self.told_use() = adapters;
        read.map(|said| said.telemetry)
    }

    fn adapter_use(&self) -> Option<AdapterUse> {
        self.told_use().clone()
    }

    async fn models(&self) -> Result<Vec<ModelCard>, RouteError> {
        let listed = self.fetch("/v1/models").await?;
        decode_models(&listed).map_err(|_| broken())
    }

    async fn adapters(&self) -> Result<Option<Vec<String>>, RouteError> {
        adapters::list(self).await
    }

    async fn load_adapter(&self, name: &str, path: &str) -> Result<(), RouteError> {
        adapters::load(self, name, path).await
    }

    async fn take_events(&self) -> Result<Option<Bytes>, RouteError> {
        events::take(self).await
    }

    async fn feed_sources(&self) -> Result<Vec<FeedSource>, RouteError> {
        let Some(listing) = self.profile.feeds else {
            return Ok(Vec::new());
        };
        let said = self.fetch(listing.route()).await?;
        Ok(listing.read(&said, self.pool.target().address().0))
    }
}

pub(super) fn unsent(error: SendError) -> RouteError {
    match error {
        SendError::Connect(cause) => {
            let what = match grievance(&cause) {
                Some(words) => format!(": {words}"),
                None if cause.kind() == io::ErrorKind::TimedOut => " in time".to_owned(),
                None => " at all".to_owned(),
            };
            let message = format!("The engine could not be reached{what}.");
            RouteError::engine(ErrorKind::Connect, Retry::OtherEndpoint, message)
        }
        // A new connection that closes without a word may have been killed by this very request.
        SendError::Closed { .. } => RouteError::engine(
            ErrorKind::Closed,
            Retry::OtherEndpointOnce,
            "The engine closed the connection before it answered.",
        ),
        SendError::Garbled => broken(),
    }
}

fn broken() -> RouteError {
    RouteError::engine(
        ErrorKind::Broken,
        Retry::OtherEndpoint,
        "The engine's reply broke off or made no sense.",
    )
}

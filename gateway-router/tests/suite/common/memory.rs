//! Engines in memory, whose conduct a test can change at any (virtual) time.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use gateway_router::{
    BoxBody, BrokenBody, EndpointSettings, ErrorKind, Retry, RouteError, RouterSettings,
    core::load::Telemetry,
    engine::{EngineCall, EngineClient, EngineReply},
    proto::{error::ApiError, openai::ModelCard},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio::time::{Sleep, sleep};

use super::{
    rig::{self, NAMES},
    wire,
};

/// What an engine does with requests and probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Serves at once.
    Serve,
    /// Serves, but late.
    ServeAfter(Duration),
    /// Answers 500, but late.
    FailAfter(Duration),
    /// Nobody listens: connections are refused, probes fail.
    Dead,
    /// Takes requests and probes and never answers.
    Silent,
    /// Takes requests and never answers, but is well when probed.
    Stuck,
    /// Answers with a head and nothing after it.
    HeadOnly,
    /// Answers 500 while its health route is well.
    Drains,
    /// Is full, and well.
    Busy,
    /// Answers 400.
    Refuse,
    /// Streams this many chunks at this pace, then falls silent with the stream open.
    Freeze { after: usize, every: Duration },
    /// Breaks off after this many chunks.
    Cut { after: usize },
}

/// One engine and what it was asked.
#[derive(Debug)]
pub(crate) struct MemoryEngine {
    act: Mutex<Act>,
    pub(crate) sent: AtomicUsize,
    /// Requests that their caller gave up before their answer began.
    pub(crate) left: AtomicUsize,
    pub(crate) probed: AtomicUsize,
    pub(crate) read: AtomicUsize,
    /// The prompt tokens it says it has processed.
    pub(crate) counted: AtomicU64,
}

impl MemoryEngine {
    pub(crate) fn new(act: Act) -> Arc<Self> {
        Arc::new(Self {
            act: Mutex::new(act),
            sent: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
            probed: AtomicUsize::new(0),
            read: AtomicUsize::new(0),
            counted: AtomicU64::new(0),
        })
    }

    pub(crate) fn set(&self, act: Act) {
        *self.act.lock().unwrap_or_else(PoisonError::into_inner) = act;
    }

    pub(crate) fn act(&self) -> Act {
        *self.act.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it answers small requests; never returns where it is silent.
    async fn wakes(&self) -> Result<(), RouteError> {
        match self.act() {
            Act::Dead => Err(refused()),
            Act::Silent => std::future::pending().await,
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl EngineClient for MemoryEngine {
    async fn send(&self, call: EngineCall) -> Result<EngineReply, RouteError> {
        self.sent.fetch_add(1, SeqCst);
        let act = self.act();
        let waiting = Waiting(&self.left);
        let answer = act.answer(&call).await;
        // It was waited for.
        std::mem::forget(waiting);
        answer
    }

    async fn probe(&self) -> Result<(), RouteError> {
        self.probed.fetch_add(1, SeqCst);
        self.wakes().await
    }

    async fn telemetry(&self) -> Result<Telemetry, RouteError> {
        self.read.fetch_add(1, SeqCst);
        self.wakes().await?;
        Ok(Telemetry {
            running: Some(0),
            waiting: Some(0),
            prompt_tokens: Some(self.counted.load(SeqCst)),
            ..Telemetry::default()
        })
    }

    async fn models(&self) -> Result<Vec<ModelCard>, RouteError> {
        self.wakes().await.map(|()| Vec::new())
    }
}

/// Counts whoever is not waited for.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Act {
    async fn answer(self, call: &EngineCall) -> Result<EngineReply, RouteError> {
        match self {
            Self::Dead => Err(refused()),
            Self::Silent | Self::Stuck => std::future::pending().await,
            Self::Drains => Ok(whole(500, "{}")),
            Self::Busy => Ok(whole(503, "{}")),
            Self::Refuse => Ok(whole(400, "{}")),
            Self::FailAfter(late) => {
                sleep(late).await;
                Ok(whole(500, "{}"))
            }
            Self::ServeAfter(late) => {
                sleep(late).await;
                Ok(served(call, Chunks::good()))
            }
            Self::Serve => Ok(served(call, Chunks::good())),
            Self::HeadOnly => Ok(streamed(Chunks::new(0, Duration::ZERO, After::Silence))),
            Self::Freeze { after, every } => {
                Ok(streamed(Chunks::new(after, every, After::Silence)))
            }
            Self::Cut { after } => Ok(streamed(Chunks::new(after, Duration::ZERO, After::Break))),
        }
    }
}

fn refused() -> RouteError {
    RouteError::new(
        ErrorKind::Connect,
        Retry::OtherEndpoint,
        ApiError::upstream("refused"),
    )
}

fn served(call: &EngineCall, chunks: Chunks) -> EngineReply {
    let wants_stream = call.body.windows(13).any(|at| at == b"\"stream\":true");
    if wants_stream {
        streamed(chunks)
    } else {
        whole(200, wire::ANSWER)
    }
}

fn whole(status: u16, body: &'static str) -> EngineReply {
    let body = Full::new(Bytes::from_static(body.as_bytes())).map_err(|never| match never {});
    reply(status, "application/json", body.boxed_unsync())
}

fn streamed(chunks: Chunks) -> EngineReply {
    reply(200, "text/event-stream", chunks.boxed_unsync())
}

fn reply(status: u16, kind: &'static str, body: BoxBody) -> EngineReply {
    let status = StatusCode::from_u16(status).expect("a status");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
    EngineReply {
        status,
        headers,
        body,
    }
}

/// What follows the content of a stream.
enum After {
    End,
    Silence,
    Break,
}

/// A stream of content, its first chunk at once, each later one after a pause.
struct Chunks {
    left: usize,
    every: Duration,
    pause: Option<Pin<Box<Sleep>>>,
    after: After,
}

impl Chunks {
    fn new(left: usize, every: Duration, after: After) -> Self {
        Self {
            left,
            every,
            pause: None,
            after,
        }
    }

    fn good() -> Self {
        Self::new(2, Duration::from_millis(10), After::End)
    }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = BrokenBody;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenBody>>> {
        if let Some(pause) = &mut self.pause {
            std::task::ready!(pause.as_mut().poll(cx));
            self.pause = None;
        }
        if self.left > 0 {
            self.left -= 1;
            self.pause = Some(Box::pin(sleep(self.every)));
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(
                wire::ONE.as_bytes(),
            )))));
        }
        match std::mem::replace(&mut self.after, After::Silence) {
            After::End => {
                let end = [wire::STOP, wire::DONE].concat();
                Poll::Ready(Some(Ok(Frame::data(Bytes::from(end)))))
            }
            After::Silence => Poll::Pending,
            After::Break => Poll::Ready(Some(Err(BrokenBody))),
        }
    }
}

/// Engines by the name of their endpoint.
#[derive(Clone)]
pub(crate) struct Engines(Arc<HashMap<&'static str, Arc<MemoryEngine>>>);

impl Engines {
    pub(crate) fn client(&self, told: &EndpointSettings) -> Option<Arc<dyn EngineClient>> {
        let engine = self.0.get(told.spec.name.as_str())?;
        Some(Arc::clone(engine) as Arc<dyn EngineClient>)
    }

    pub(crate) fn named(&self, name: &str) -> &Arc<MemoryEngine> {
        self.0.get(name).expect("an engine of this fleet")
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<MemoryEngine>> {
        self.0.values()
    }

    pub(crate) fn sent(&self) -> usize {
        self.all().map(|engine| engine.sent.load(SeqCst)).sum()
    }
}

/// Settings and engines of a fleet `a`, `b`, ... whose engines act so.
pub(crate) fn fleet(acts: &[Act]) -> (RouterSettings, Engines) {
    let nowhere = acts
        .iter()
        .map(|_| ([127, 0, 0, 1], 9).into())
        .collect::<Vec<_>>();
    let engines = NAMES
        .into_iter()
        .zip(acts)
        .map(|(name, &act)| (name, MemoryEngine::new(act)));
    (
        rig::settings(&nowhere),
        Engines(Arc::new(engines.collect())),
    )
}

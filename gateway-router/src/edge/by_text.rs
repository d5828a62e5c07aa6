//! The engine's own chat route, for dialects that it does not speak.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use gateway_core::Explanation;
use gateway_proto::{
    error::ApiError,
    ir::{Answer, Event, Prompt, Request},
    openai::{
        Api, RequestView, ViewLimits,
        chat::{self, ChunkReader, Progress},
    },
    sse,
};
use http::header;
use http_body::Body as _;
use http_body_util::BodyExt as _;

use super::{
    AnswerEvents, AnswerReply, Ask, EdgeReport,
    again::Again,
    promise::Promise,
    refuse::{bad_request, choices},
    report::Telling,
};
use crate::{
    Asked, ErrorKind, HedgeReport, Leg, PairReport, ReplyBody, Retry, RouteError, RouteReply,
    RouteRequest, Router,
};

/// The largest event that is read, in bytes; the router's own limit is checked before.
const EVENT_BYTES: usize = 64 << 20;

pub(super) async fn answer(router: &Router, ask: Ask) -> Result<AnswerReply, RouteError> {
    choices(&ask.request)?;
    let head = ask.head(None);
    let asked = Arc::clone(&ask.request);
    let report = EdgeReport::by_text(&ask);
    let request = routed(ask)?;
    let again = (!asked.stream).then(|| Again::new(&request, router));
    let mut begun = begin(router, request, &asked).await?;
    let mut telling = Telling::new(report, router.sink());
    let whole = match again {
        Some(again) => {
            let events = Box::pin(again.whole(&mut begun, router, &asked)).await?;
            telling.count_violations(&events);
            Some(events)
        }
        None => {
            begun.events.telling = Some(telling);
            None
        }
    };
    let Begun {
        endpoint,
        explanation,
        pair,
        hedge,
        events,
    } = begun;
    Ok(AnswerReply {
        endpoint,
        explanation,
        pair,
        hedge,
        head,
        preparation: None,
        echo: Vec::new(),
        events: match whole {
            Some(events) => AnswerEvents::ready(events.into_iter()),
            None => AnswerEvents::of_text(events),
        },
    })
}

fn routed(ask: Ask) -> Result<RouteRequest, RouteError> {
    let body = Bytes::from(chat::encode_request(&streamed(&ask.request)?));
    let limits = ViewLimits::default();
    let view = RequestView::parse(Api::ChatCompletions, &body, &limits)
        .map_err(|error| bad_request(error.into()))?;
    let leg = Leg {
        asked: Some(Asked {
            api: ask.api,
            stream: ask.request.stream,
        }),
        ..Leg::default()
    };
    Ok(RouteRequest {
        view,
        body,
        request_id: ask.request_id,
        leg,
        headers: ask.headers,
        hints: ask.hints,
    })
}

/// An answer that has begun.
pub(super) struct Begun {
    pub(super) endpoint: Arc<str>,
    pub(super) explanation: Option<Box<Explanation>>,
    pub(super) pair: Option<PairReport>,
    pub(super) hedge: Option<Box<HedgeReport>>,
    pub(super) events: TextEvents,
}

/// Asks an engine, and others until one begins to answer.
pub(super) async fn begin(
    router: &Router,
    request: RouteRequest,
    asked: &Request,
) -> Result<Begun, RouteError> {
    let promise = Promise::of(asked).map_err(|error| bad_request(error.to_api()))?;
    let RouteReply {
        response,
        endpoint,
        explanation,
        pair,
        hedge,
    } = router.route(request).await?;
    let kind = response.headers().get(header::CONTENT_TYPE);
    let streams = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let events = if streams {
        TextEvents::streamed(response.into_body(), promise)
    } else {
        TextEvents::whole(response.into_body(), promise).await?
    };
    Ok(Begun {
        endpoint,
        explanation,
        pair,
        hedge,
        events,
    })
}

/// The request as it goes to the engine: always a stream, and always with its cost.
fn streamed(request: &Request) -> Result<Request, RouteError> {
    if !matches!(request.prompt, Prompt::Messages(_)) {
        let message = "A prompt without turns goes to the engine's completions route as it is.";
        return Err(bad_request(ApiError::invalid_request(message)));
    }
    let mut request = request.clone();
    request.stream = true;
    request.include_usage = true;
    Ok(request)
}

/// An engine's chat stream, read back.
pub(super) struct TextEvents {
    body: Option<ReplyBody>,
    decoder: sse::Decoder,
    reader: ChunkReader,
    fresh: Vec<Event>,
    promise: Promise,
    /// Where the caller gets the events as they come.
    telling: Option<Telling>,
}

impl TextEvents {
    fn streamed(body: ReplyBody, promise: Promise) -> Self {
        Self {
            body: Some(body),
            decoder: sse::Decoder::new(sse::Limits {
                event_bytes: EVENT_BYTES,
            }),
            reader: ChunkReader::new(),
            fresh: Vec::new(),
            promise,
            telling: None,
        }
    }

    /// An engine that does not stream all the same.
    async fn whole(body: ReplyBody, promise: Promise) -> Result<Self, RouteError> {
        let whole = match body.collect().await {
            Ok(whole) => whole.to_bytes(),
            Err(never) => match never {},
        };
        let answer: Answer = chat::read_answer(&whole)
            .map_err(|error| RouteError::new(ErrorKind::Broken, Retry::Never, *error))?;
        let mut events = Self::streamed(ReplyBody::from(Bytes::new()), promise);
        events.body = None;
        events.fresh = answer.into_events();
        Ok(events)
    }

    /// Appends what has come to `out`. Ready with events appended, or when all is over (`false`).
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, out: &mut VecDeque<Event>) -> Poll<bool> {
        loop {
            if !self.fresh.is_empty() {
                let promise = &mut self.promise;
                self.fresh.iter_mut().for_each(|event| promise.see(event));
                if let Some(telling) = &mut self.telling {
                    telling.count_violations(&self.fresh);
                }
                out.extend(self.fresh.drain(..));
                return Poll::Ready(true);
            }
            let Some(body) = &mut self.body else {
                return Poll::Ready(false);
            };
            match Pin::new(body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.feed(&data);
                    }
                }
                Poll::Ready(Some(Err(never))) => match never {},
                Poll::Ready(None) => {
                    self.body = None;
                    self.reader.finish(&mut self.fresh);
                }
            }
        }
    }

    fn feed(&mut self, data: &[u8]) {
        self.decoder.feed(data);
        loop {
            let progress = match self.decoder.next_event() {
                Ok(Some(event)) => self.reader.read(&event.data, &mut self.fresh),
                Ok(None) => return,
                Err(error) => {
                    let api =
                        ApiError::upstream(format!("The engine's stream is broken: {error}."));
                    self.fresh.push(Event::Failed(Box::new(api)));
                    Progress::Failed
                }
            };
            if progress == Progress::Failed {
                self.body = None;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::task::noop_waker_ref;

    use super::*;

    #[test]
    fn an_event_that_is_too_large_breaks_the_answer() {
        let body = ReplyBody::from(Bytes::from_static(b"data: 0123456789\n\n"));
        let promise = Promise::of(&Request::default()).expect("nothing is promised");
        let mut events = TextEvents::streamed(body, promise);
        events.decoder = sse::Decoder::new(sse::Limits { event_bytes: 8 });
        let (mut out, mut cx) = (VecDeque::new(), Context::from_waker(noop_waker_ref()));
        assert_eq!(events.poll(&mut cx, &mut out), Poll::Ready(true));
        assert!(
            matches!(&out.make_contiguous(), [Event::Failed(_)]),
            "{out:?}"
        );
        out.clear();
        assert_eq!(events.poll(&mut cx, &mut out), Poll::Ready(false));
        assert!(out.is_empty(), "{out:?}");
    }
}

//! The part of engines in memory that `MindIE`'s pairs need: the prefill engine hands over by itself, and the decode engine
//! answers to all together.

use std::{
    collections::BTreeMap,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use gateway_router::{
    BoxBody, BrokenBody, ErrorKind, Retry, RouteError,
    engine::{BoxTokens, EngineReply, Flow, TokenSource},
    proto::{
        engines::{TokenEvent, TokenFinish},
        error::ApiError,
        ir::Usage,
    },
};
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::sleep};

use super::{
    engine::{Act, PairEngine, SharedWorld, Watch, chunk, events, lock, whole},
    ids::{HELLO, WRONG},
};

/// What a decode engine is in the world of a test.
#[derive(Debug)]
pub(super) struct Listened {
    said: mpsc::Sender<Bytes>,
    act: Act,
}

/// Who listens to whom, and what engines were told to give up.
#[derive(Debug, Default)]
pub(super) struct Dresults {
    pub(super) listened: BTreeMap<&'static str, Listened>,
    /// Times that somebody came to listen.
    pub(super) opened: u32,
    pub(super) stopped: Vec<(&'static str, String)>,
    /// Headers of every prefill leg.
    pub(super) asked: Vec<Asked>,
    /// Requests to be thrown out by decode engines before they say anything, in the middle of their answers, or never.
    pub(super) thrown_out: Vec<Thrown>,
}

/// When a request is thrown out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thrown {
    AtOnce,
    Midway,
}

/// What a prefill leg says in headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) id: String,
    pub(super) target: String,
    pub(super) is_again: bool,
}

/// The address under which a rig's decode engine is handed requests.
pub(super) fn address_of(name: &str) -> String {
    format!("10.0.0.{}", &name[1..])
}

pub(super) fn asked(headers: &HeaderMap) -> Option<Asked> {
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    (text("req-type")? == "prefill").then_some(())?;
    Some(Asked {
        id: text("req-id")?,
        target: text("d-target")?,
        is_again: text("is-recompute").is_some(),
    })
}

pub(super) fn listen(engine: &PairEngine) -> Result<EngineReply, RouteError> {
    let act = engine.act();
    if act == Act::Refuse {
        return Err(refused());
    }
    let (said, mut heard) = mpsc::channel::<Bytes>(1_024);
    let beats = said.downgrade();
    tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(5)).await;
            let Some(beats) = beats.upgrade() else { return };
            if beats.send("ka:heartbeat\0".into()).await.is_err() {
                return;
            }
        }
    });
    let mut world = lock(&engine.world);
    world.dresults.opened += 1;
    world
        .dresults
        .listened
        .insert(engine.name, Listened { said, act });
    let frames = stream::poll_fn(move |cx| {
        heard
            .poll_recv(cx)
            .map(|said| said.map(|said| Ok::<_, BrokenBody>(Frame::data(said))))
    });
    Ok(events_of(StreamBody::new(frames).boxed_unsync()))
}

fn events_of(body: BoxBody) -> EngineReply {
    let mut reply = events(String::new());
    reply.body = body;
    reply
}

fn refused() -> RouteError {
    let api = ApiError::upstream("refused");
    RouteError::new(ErrorKind::Connect, Retry::OtherEndpoint, api)
}

/// The prefill leg of a request that streams or not.
pub(super) async fn prefill(
    engine: &PairEngine,
    asked: Asked,
    body: Value,
) -> Result<EngineReply, RouteError> {
    let mut watch = Watch::of(engine, "prefill", &body);
    let streams = body["stream"] == true;
    lock(&engine.world).dresults.asked.push(asked.clone());
    let answer = answered(engine, &asked, streams).await;
    watch.is_over = true;
    answer
}

async fn answered(
    engine: &PairEngine,
    asked: &Asked,
    streams: bool,
) -> Result<EngineReply, RouteError> {
    let no = json!({"error": "no", "error_type": "x"});
    match engine.act() {
        Act::Refuse => return Err(refused()),
        Act::Answer(status) => return Ok(whole(status, &no)),
        Act::FailAfter(late) => {
            sleep(late).await;
            return Ok(whole(500, &no));
        }
        Act::BlameTransfer => return Ok(unsent()),
        Act::Hang => std::future::pending().await,
        Act::After(late) => sleep(late).await,
        Act::HandNothing => return Ok(whole(200, &json!({"choices": []}))),
        Act::ErrorEvent => return Ok(whole(500, &no)),
        Act::Abort => {
            let choice = json!({"index": 0, "finish_reason": "abort"});
            return Ok(whole(200, &json!({"choices": [choice]})));
        }
        Act::Serve | Act::Finish | Act::FetchNothing(_) | Act::MeetAndAnswer(_) => {}
    }
    let is_last = engine.act() == Act::Finish;
    let mut told = json!({"reqId": asked.id, "isStream": streams});
    if streams || is_last {
        let end = if is_last { end() } else { String::new() };
        let first = match streams {
            true => chunk(&json!({"content": "Hello"}), &Value::Null) + &end,
            false => said_whole(),
        };
        told["isLastResp"] = json!(is_last);
        told["output"] = json!(first);
    }
    if !is_last && !hand_over(&engine.world, asked, streams) {
        return Ok(unsent());
    }
    Ok(whole(200, &told))
}

fn unsent() -> EngineReply {
    let error = "[P Node] Send D request failed:14: connect failed";
    whole(500, &json!({"error": error, "error_type": "x"}))
}

fn end() -> String {
    chunk(&json!({}), &json!("stop")) + "data: [DONE]\n\n"
}

fn said_whole() -> String {
    let message = json!({"role": "assistant", "content": "Hello"});
    let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
    json!({"object": "chat.completion", "choices": [choice]}).to_string()
}

/// Whether there is a decode engine at the address.
fn hand_over(world: &SharedWorld, asked: &Asked, streams: bool) -> bool {
    let mut all = lock(world);
    let found = all.dresults.listened.iter();
    let mut found = found.filter(|(name, _)| asked.target == address_of(name));
    let Some((&name, Listened { said, act })) = found.next() else {
        return false;
    };
    let (said, act, id) = (said.clone(), *act, asked.id.clone());
    all.legs.push((name, "decode"));
    all.bodies.push(json!({"stream": true, "asked": 3}));
    let thrown = all.dresults.thrown_out.pop();
    drop(all);
    tokio::spawn(async move {
        // The task that reads is never slower than the clock.
        let say = |word: &str, body: &str| {
            let framed = format!("reqId:{id}\0{word}:{body}\0");
            said.try_send(framed.into())
                .expect("whoever listens keeps up");
        };
        match act {
            Act::After(late) | Act::FailAfter(late) => sleep(late).await,
            Act::Hang => return,
            _ => {}
        }
        match act {
            Act::Answer(_) | Act::FailAfter(_) | Act::ErrorEvent | Act::Abort => {
                say("error", "no");
            }
            Act::BlameTransfer => say("error", "Pull kv failed irreversibly."),
            _ if thrown == Some(Thrown::AtOnce) => say("retry", &again(streams)),
            _ if thrown == Some(Thrown::Midway) => {
                say("data", &chunk(&json!({"content": " there"}), &Value::Null));
                say("retry", &again(streams));
            }
            _ if streams => say("lastData", &end()),
            _ => say("lastData", &said_whole()),
        }
    });
    true
}

fn again(streams: bool) -> String {
    json!({"stream": streams, "rebuilt": true}).to_string()
}

/// The ids that a reply in words stands for, read to its end.
pub(super) fn spoken(reply: EngineReply) -> BoxTokens {
    Box::pin(Spoken {
        body: reply.body,
        text: String::new(),
    })
}

struct Spoken {
    body: BoxBody,
    text: String,
}

impl TokenSource for Spoken {
    fn poll_more(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Vec<TokenEvent>,
    ) -> Poll<Result<Flow, RouteError>> {
        loop {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let data = frame.into_data().expect("no trailers");
                    self.text.push_str(&String::from_utf8_lossy(&data));
                }
                Some(Err(BrokenBody)) => {
                    let api = ApiError::upstream("broken");
                    let error = RouteError::new(ErrorKind::Broken, Retry::OtherEndpoint, api);
                    return Poll::Ready(Err(error));
                }
                None => break,
            }
        }
        let is_right = self.text.contains("Hello");
        out.push(TokenEvent {
            ids: if is_right { HELLO } else { WRONG }.to_vec(),
            finish: Some(TokenFinish::Length),
            ..TokenEvent::default()
        });
        Poll::Ready(Ok(Flow::Done))
    }

    fn usage(&self) -> Option<Usage> {
        None
    }
}

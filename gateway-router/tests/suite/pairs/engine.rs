//! Engines in memory that hand prompts over as the real ones do, and remember what they owe each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use gateway_router::{
    BoxBody, BrokenBody, ErrorKind, Retry, RouteError,
    core::load::Telemetry,
    engine::{BoxTokens, EngineCall, EngineClient, EngineReply, GenerateCall},
    proto::{error::ApiError, openai::ModelCard},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    dresult::{self, Dresults},
    ids,
};

/// What an engine does with a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Serve,
    /// Serves, but late.
    After(Duration),
    /// Nobody listens.
    Refuse,
    /// Answers with this status.
    Answer(u16),
    /// Answers 500, but late.
    FailAfter(Duration),
    /// Never answers.
    Hang,
    /// Prefill: answers well and hands nothing over.
    HandNothing,
    /// Prefill: the first token was the last.
    Finish,
    /// An error event under a polite 200, before any token; a 500 where the answer comes whole.
    ErrorEvent,
    /// Gives the request up under a polite 200.
    Abort,
    /// Answers this status where it is to fetch what was handed over, and serves requests whole.
    FetchNothing(u16),
    /// Serves, and answers with this status a second after its partner has come.
    MeetAndAnswer(u16),
    /// Does not get what was handed over, and says so in the words of its connector, if that has any.
    BlameTransfer,
}

/// What all engines of a test share.
#[derive(Debug, Default)]
pub(super) struct World {
    /// Blocks held for a decode engine, by number.
    held: BTreeSet<u64>,
    made: u64,
    /// Rooms, with how many legs have come.
    rooms: BTreeMap<u64, u32>,
    /// Every leg: endpoint and kind.
    pub(super) legs: Vec<(&'static str, &'static str)>,
    /// Legs that were dropped before they had answered.
    pub(super) dropped: Vec<(&'static str, &'static str)>,
    /// Engines that cannot load LoRA adapters.
    pub(super) unloadable: BTreeSet<&'static str>,
    /// Every body.
    pub(super) bodies: Vec<Value>,
    pub(super) dresults: Dresults,
    /// LoRA adapters that all engines have.
    pub(super) adapters: Vec<String>,
}

pub(super) type SharedWorld = Arc<Mutex<World>>;

pub(super) fn lock(world: &SharedWorld) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One engine.
#[derive(Debug)]
pub(super) struct PairEngine {
    pub(super) name: &'static str,
    pub(super) act: Mutex<Act>,
    pub(super) world: SharedWorld,
}

/// Which part of the work a body asks for.
fn kind_of(body: &Value) -> &'static str {
    let params = &body["kv_transfer_params"];
    let trt = &body["disaggregated_params"]["request_type"];
    if params["do_remote_decode"] == true || trt == "context_only" {
        "prefill"
    } else if params["do_remote_prefill"] == true || trt == "generation_only" {
        "decode"
    } else if body.get("bootstrap_room").is_some() {
        "room"
    } else {
        "whole"
    }
}

/// Notes a leg that is dropped before it has answered.
pub(super) struct Watch {
    leg: (&'static str, &'static str),
    world: SharedWorld,
    pub(super) is_over: bool,
}

impl Watch {
    /// Notes a leg and what it asks for.
    pub(super) fn of(engine: &PairEngine, kind: &'static str, body: &Value) -> Self {
        let leg = (engine.name, kind);
        let mut world = lock(&engine.world);
        world.legs.push(leg);
        world.bodies.push(body.clone());
        Self {
            leg,
            world: Arc::clone(&engine.world),
            is_over: false,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.is_over {
            lock(&self.world).dropped.push(self.leg);
        }
    }
}

impl PairEngine {
    pub(super) fn act(&self) -> Act {
        *self.act.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One leg, noted with what it asked for.
    async fn leg(&self, body: Value) -> Result<EngineReply, RouteError> {
        let kind = kind_of(&body);
        let mut watch = Watch::of(self, kind, &body);
        let reply = self.serve(body, kind).await;
        watch.is_over = true;
        reply
    }

    async fn serve(&self, body: Value, kind: &'static str) -> Result<EngineReply, RouteError> {
        let stream = body["stream"] == true;
        match self.act() {
            Act::Refuse => {
                return Err(RouteError::new(
                    ErrorKind::Connect,
                    Retry::OtherEndpoint,
                    ApiError::upstream("refused"),
                ));
            }
            Act::Answer(status) => return Ok(whole(status, &json!({"error": {"message": "no"}}))),
            Act::FailAfter(late) => {
                sleep(late).await;
                return Ok(whole(500, &json!({"error": {"message": "no"}})));
            }
            Act::Hang => std::future::pending().await,
            Act::After(late) => sleep(late).await,
            Act::BlameTransfer if kind == "room" => {
                let error = json!({"error": {"message": "Decode transfer failed for rid"}});
                return Ok(whole(500, &error));
            }
            Act::BlameTransfer if kind == "decode" => {
                let error = json!({"error": {"message": "Internal server error"}});
                return Ok(whole(500, &error));
            }
            Act::FetchNothing(status) if kind == "decode" => {
                return Ok(whole(status, &json!({"error": {"message": "no"}})));
            }
            Act::ErrorEvent if stream => {
                let event =
                    "data: {\"error\":{\"message\":\"no\",\"code\":500}}\n\ndata: [DONE]\n\n";
                return Ok(events(event.to_owned()));
            }
            Act::ErrorEvent => return Ok(whole(500, &json!({"error": {"message": "no"}}))),
            Act::Abort => return Ok(given_up(stream)),
            _ => {}
        }
        self.meet(&body).await;
        if let Act::MeetAndAnswer(status) = self.act() {
            sleep(Duration::from_secs(1)).await;
            return Ok(whole(status, &json!({"error": {"message": "no"}})));
        }
        match kind {
            "prefill" => Ok(whole(200, &self.hand_over(&body))),
            "decode" => Ok(self.fetched(&body, stream)),
            _ => Ok(answered(stream, "Hello")),
        }
    }

    /// The prefill leg's answer.
    fn hand_over(&self, body: &Value) -> Value {
        let mut world = lock(&self.world);
        let number = world.made;
        let is_trt = body.get("disaggregated_params").is_some();
        if self.act() == Act::Finish {
            let message = json!({"role": "assistant", "content": "Hello"});
            return json!({"object": "chat.completion", "choices": [{
                "index": 0, "message": message, "finish_reason": "stop",
            }]});
        }
        if self.act() == Act::HandNothing {
            return json!({"choices": [{"index": 0, "finish_reason": "length"}]});
        }
        world.made += 1;
        world.held.insert(number);
        if is_trt {
            let params = json!({"request_type": "context_only", "ctx_request_id": number});
            let choice = json!({"finish_reason": "length", "disaggregated_params": params});
            return json!({"choices": [choice], "prompt_token_ids": [1, 2]});
        }
        if body["kv_transfer_params"].get("transfer_id").is_some() {
            // Mooncake: the transfer's own id names the blocks.
            world.held.remove(&number);
            return json!({"choices": []});
        }
        json!({"choices": [], "kv_transfer_params": {
            "do_remote_prefill": true, "do_remote_decode": false, "remote_engine_id": self.name,
            "remote_request_id": format!("r{number}"), "remote_block_ids": [[number]], "remote_host": "h",
            "remote_port": 1, "transfer_mode": "pull", "of_tomorrow": number,
        }})
    }

    /// The decode leg's answer: what is fetched twice, or was never held, gives other words under a polite 200.
    fn fetched(&self, body: &Value, stream: bool) -> EngineReply {
        let params = &body["kv_transfer_params"];
        if params.get("transfer_id").is_some() {
            return answered(stream, "Hello");
        }
        let number = params["of_tomorrow"].as_u64();
        let number = number.or_else(|| body["disaggregated_params"]["ctx_request_id"].as_u64());
        let is_held = number.is_some_and(|number| lock(&self.world).held.remove(&number));
        answered(stream, if is_held { "Hello" } else { "Wrong" })
    }

    /// Waits for the other leg, for ever, where the two are sent at once.
    async fn meet(&self, body: &Value) {
        let transfer = body["kv_transfer_params"]["transfer_id"].as_str();
        let transfer = transfer.and_then(|id| u64::from_str_radix(id, 16).ok());
        let Some(room) = transfer.or_else(|| body["bootstrap_room"].as_u64()) else {
            return;
        };
        *lock(&self.world).rooms.entry(room).or_default() += 1;
        while lock(&self.world).rooms[&room] < 2 {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

#[async_trait]
impl EngineClient for PairEngine {
    async fn send(&self, call: EngineCall) -> Result<EngineReply, RouteError> {
        let body = serde_json::from_slice(&call.body).expect("JSON");
        match dresult::asked(&call.headers) {
            Some(asked) => dresult::prefill(self, asked, body).await,
            None => self.leg(body).await,
        }
    }

    async fn prefill(&self, call: GenerateCall) -> Result<EngineReply, RouteError> {
        let body = ids::body_of(&call);
        match dresult::asked(&call.headers) {
            Some(asked) => dresult::prefill(self, asked, body).await,
            None => self.leg(body).await,
        }
    }

    async fn results(&self) -> Result<EngineReply, RouteError> {
        dresult::listen(self)
    }

    async fn stop(&self, _model: &str, id: &str) -> Result<(), RouteError> {
        let stopped = (self.name, id.to_owned());
        lock(&self.world).dresults.stopped.push(stopped);
        Ok(())
    }

    async fn generate(&self, call: GenerateCall) -> Result<BoxTokens, RouteError> {
        let body = ids::body_of(&call);
        // The completions route knows no such member.
        if body.get("prompt_token_ids").is_some() {
            let api = ApiError::invalid_request("Extra inputs are not permitted.");
            return Err(RouteError::new(ErrorKind::Rejected, Retry::Never, api));
        }
        let reply = self.leg(body).await?;
        ids::tokens_of(reply).await
    }

    fn read_tokens(&self, _call: &GenerateCall, reply: EngineReply) -> Option<BoxTokens> {
        Some(dresult::spoken(reply))
    }

    async fn ask_bootstrap(&self, _host: &str, _port: u16) -> Result<Bytes, RouteError> {
        lock(&self.world).legs.push((self.name, "asked"));
        let answer = json!({"0": {"engine_id": self.name}});
        Ok(Bytes::from(answer.to_string()))
    }

    async fn load_adapter(&self, name: &str, _path: &str) -> Result<(), RouteError> {
        let mut world = lock(&self.world);
        world.legs.push((self.name, "load"));
        if world.unloadable.contains(self.name) {
            let message = format!("no such adapter: {name}");
            let (kind, retry) = (ErrorKind::AdapterNotLoaded, Retry::OtherEndpoint);
            return Err(RouteError::new(kind, retry, ApiError::upstream(message)));
        }
        Ok(())
    }

    async fn probe(&self) -> Result<(), RouteError> {
        Ok(())
    }

    async fn telemetry(&self) -> Result<Telemetry, RouteError> {
        Ok(Telemetry::default())
    }

    async fn models(&self) -> Result<Vec<ModelCard>, RouteError> {
        Ok(Vec::new())
    }

    async fn adapters(&self) -> Result<Option<Vec<String>>, RouteError> {
        Ok(Some(lock(&self.world).adapters.clone()))
    }
}

fn answered(stream: bool, text: &str) -> EngineReply {
    if !stream {
        let message = json!({"role": "assistant", "content": text});
        let choice = json!({"index": 0, "message": message, "finish_reason": "stop"});
        return whole(
            200,
            &json!({"object": "chat.completion", "choices": [choice]}),
        );
    }
    let words = chunk(&json!({"content": text}), &Value::Null);
    let end = chunk(&json!({}), &json!("stop"));
    events(format!("{words}{end}data: [DONE]\n\n"))
}

/// One event of a streamed chat.
pub(super) fn chunk(delta: &Value, finish: &Value) -> String {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
    let chunk = json!({"object": "chat.completion.chunk", "choices": [choice]});
    format!("data: {chunk}\n\n")
}

/// As SGLang tells it where it has no status to tell.
fn given_up(stream: bool) -> EngineReply {
    let choice = json!({"index": 0, "delta": {}, "finish_reason": "abort"});
    let told = json!({"choices": [choice]});
    if stream {
        events(format!("data: {told}\n\ndata: [DONE]\n\n"))
    } else {
        whole(200, &told)
    }
}

pub(super) fn whole(status: u16, body: &Value) -> EngineReply {
    let body = Full::new(Bytes::from(body.to_string())).map_err(|never| match never {});
    reply(status, "application/json", body.boxed_unsync())
}

pub(super) fn events(text: String) -> EngineReply {
    let frames = stream::iter([Ok::<_, BrokenBody>(Frame::data(Bytes::from(text)))]);
    reply(
        200,
        "text/event-stream",
        StreamBody::new(frames.fuse()).boxed_unsync(),
    )
}

fn reply(status: u16, kind: &'static str, body: BoxBody) -> EngineReply {
    EngineReply {
        status: StatusCode::from_u16(status).expect("a status"),
        headers: HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]),
        body,
    }
}

//! The engines: one trait, one shared HTTP base, one small file per kind for what differs.

mod adapters;
mod bootstrap;
mod detect;
mod events;
mod generate;
mod http;
mod profile;
mod readings;
mod results;
mod rungs;
mod side;
pub(crate) mod status;
mod tokens;

use ::http::{HeaderMap, HeaderValue, StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use gateway_core::load::{AdapterUse, Telemetry};
use gateway_proto::{
    engines::Unsupported,
    openai::{Api, ModelCard},
};
use http_body_util::{BodyExt, Full};

pub use detect::{Detected, detect};
pub use http::HttpEngine;
pub(crate) use profile::Profile;
pub use tokens::{BoxTokens, Flow, GenerateCall, TokenSource};

use crate::{
    Deadlines, ErrorKind, Retry, RouteError, adapters::failure, body::BoxBody, feed::FeedSource,
};

/// A request as it goes to an engine.
#[derive(Clone, Debug)]
pub struct EngineCall {
    /// The route.
    pub api: Api,
    /// The body, as the client sent it but for spliced edits.
    pub body: Bytes,
    /// Headers to pass on.
    pub headers: HeaderMap,
    /// How long a new connection may take.
    pub deadlines: Deadlines,
    /// Whether it must not reach the engine twice: it names what another engine holds for one reader.
    pub is_once: bool,
}

const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An engine's reply as it begins. Dropping the body tells the engine that nobody listens any more.
#[derive(Debug)]
pub struct EngineReply {
    /// The status.
    pub status: StatusCode,
    /// The headers, as they came.
    pub headers: HeaderMap,
    /// The body.
    pub body: BoxBody,
}

impl EngineReply {
    /// A reply whose whole body is this event stream.
    pub(crate) fn of_events(events: Bytes) -> Self {
        Self::of(true, events)
    }

    /// A reply whose whole body is this JSON.
    pub(crate) fn of_json(json: Bytes) -> Self {
        Self::of(false, json)
    }

    /// A good reply with this body: an event stream, or JSON.
    pub(crate) fn of_body(streams: bool, body: BoxBody) -> Self {
        let kind = if streams { EVENTS } else { JSON };
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]),
            body,
        }
    }

    fn of(streams: bool, body: Bytes) -> Self {
        let body = Full::new(body).map_err(|never| match never {});
        Self::of_body(streams, body.boxed_unsync())
    }
}

/// One engine as the router drives it.
///
/// An implementation holds nothing of routing: it speaks the engine's wire and reports errors with their
/// [`Retry`]. Every method may be dropped at any time and must then leave nothing behind.
#[async_trait]
pub trait EngineClient: Send + Sync {
    /// Sends a request and waits for the head of the reply.
    async fn send(&self, call: EngineCall) -> Result<EngineReply, RouteError>;

    /// Sends a call for tokens and waits for the head of the reply; the answer always comes as a stream. An engine that is
    /// told nothing else takes no token ids.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] where this engine cannot do what is asked, before
    /// anything was sent.
    async fn generate(&self, _call: GenerateCall) -> Result<BoxTokens, RouteError> {
        let engine = "These";
        Err(Unsupported::Tokens { engine }.into())
    }

    /// Sends a call for tokens as the prefill leg of a pair, and waits for the head of the reply, whose body says what is
    /// handed over.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    async fn prefill(&self, _call: GenerateCall) -> Result<EngineReply, RouteError> {
        let engine = "These";
        Err(Unsupported::Tokens { engine }.into())
    }

    /// Reads `reply`, got in another way, as the answer to `call`; `None` where this engine gives no tokens.
    fn read_tokens(&self, _call: &GenerateCall, _reply: EngineReply) -> Option<BoxTokens> {
        None
    }

    /// Asks the port at which decode engines find this one who it is. What it said holds until
    /// [`forget_bootstrap`](Self::forget_bootstrap).
    ///
    /// # Errors
    /// Where it does not say, or where this client cannot ask.
    async fn ask_bootstrap(&self, _host: &str, _port: u16) -> Result<Bytes, RouteError> {
        let message = "This engine has no bootstrap port.";
        Err(RouteError::engine(
            ErrorKind::Unsupported,
            Retry::OtherEndpoint,
            message,
        ))
    }

    /// The engine is another process, or may be: nothing that it said of itself holds any more.
    fn forget_bootstrap(&self) {}

    /// Opens the one answer that this engine gives to all requests that others have handed over to it, which goes on for as
    /// long as both live. Its body is what `MindIE`'s `/dresult` says.
    ///
    /// # Errors
    /// Where it cannot be opened, or where this engine has none.
    async fn results(&self) -> Result<EngineReply, RouteError> {
        let message = "This engine answers each request by itself.";
        Err(RouteError::engine(
            ErrorKind::Unsupported,
            Retry::OtherEndpoint,
            message,
        ))
    }

    /// Tells it that the request that it knows as `id` is not wanted any more.
    ///
    /// # Errors
    /// Where it does not listen, or where this engine needs no telling.
    async fn stop(&self, _model: &str, _id: &str) -> Result<(), RouteError> {
        let message = "This engine sees by the connection that its caller has left.";
        Err(RouteError::engine(
            ErrorKind::Unsupported,
            Retry::Never,
            message,
        ))
    }

    /// Asks whether the engine is well.
    async fn probe(&self) -> Result<(), RouteError>;

    /// Reads the engine's telemetry.
    async fn telemetry(&self) -> Result<Telemetry, RouteError>;

    /// The LoRA adapters whose requests it ran and held back at its last [`telemetry`](Self::telemetry); `None` of an engine
    /// that does not say.
    fn adapter_use(&self) -> Option<AdapterUse> {
        None
    }

    /// Lists the models it serves.
    async fn models(&self) -> Result<Vec<ModelCard>, RouteError>;

    /// Lists the LoRA adapters that it has now; `None` of an engine that cannot say.
    ///
    /// # Errors
    /// Where it does not answer.
    async fn adapters(&self) -> Result<Option<Vec<String>>, RouteError> {
        Ok(None)
    }

    /// Has it load the LoRA adapter `name` from `path`; one that has it already is content.
    ///
    /// # Errors
    /// Where it cannot.
    async fn load_adapter(&self, name: &str, _path: &str) -> Result<(), RouteError> {
        Err(failure(name, "this engine loads none while it runs"))
    }

    /// Lists where it publishes KV events: nowhere, unless it says so.
    async fn feed_sources(&self) -> Result<Vec<FeedSource>, RouteError> {
        Ok(Vec::new())
    }

    /// Takes the KV events that have gathered since somebody last asked, in the words of TensorRT-LLM
    /// ([`Polled`](gateway_proto::kv_events::Polled)); `None` of an engine that keeps none.
    ///
    /// # Errors
    /// Where it does not answer.
    async fn take_events(&self) -> Result<Option<Bytes>, RouteError> {
        Ok(None)
    }
}

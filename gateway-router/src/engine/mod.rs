//! The engines: one trait, one shared HTTP base, one small file per kind for what differs.

mod detect;
mod generate;
mod http;
mod profile;
pub(crate) mod status;
mod tokens;

use ::http::{HeaderMap, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;
use gateway_core::load::Telemetry;
use gateway_proto::{
    engines::Unsupported,
    openai::{Api, ModelCard},
};

pub use detect::{Detected, detect};
pub use http::HttpEngine;
pub(crate) use profile::Profile;
pub use tokens::{BoxTokens, Flow, GenerateCall, TokenSource};

use crate::{Deadlines, RouteError, body::BoxBody, feed::FeedSource};

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
}

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

/// One engine as the router drives it.
///
/// An implementation holds nothing of routing: it speaks the engine's wire and reports errors with their
/// [`Retry`](crate::Retry). Every method may be dropped at any time and must then leave nothing behind.
#[async_trait]
pub trait EngineClient: Send + Sync {
    /// Sends a request and waits for the head of the reply.
    async fn send(&self, call: EngineCall) -> Result<EngineReply, RouteError>;

    /// Sends a call for tokens and waits for the head of the reply; the answer always comes as a stream. An engine that is
    /// told nothing else takes no token ids.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) where this engine cannot do what is asked, before
    /// anything was sent.
    async fn generate(&self, _call: GenerateCall) -> Result<BoxTokens, RouteError> {
        let engine = "These";
        Err(Unsupported::Tokens { engine }.into())
    }

    /// Asks whether the engine is well.
    async fn probe(&self) -> Result<(), RouteError>;

    /// Reads the engine's telemetry.
    async fn telemetry(&self) -> Result<Telemetry, RouteError>;

    /// Lists the models it serves.
    async fn models(&self) -> Result<Vec<ModelCard>, RouteError>;

    /// Lists where it publishes KV events: nowhere, unless it says so.
    async fn feed_sources(&self) -> Result<Vec<FeedSource>, RouteError> {
        Ok(Vec::new())
    }
}

//! A call for tokens as the router takes it, and what it gives.

use std::sync::Arc;

use gateway_core::Explanation;
use gateway_proto::{engines::TokenCall, openai::Api};
use http::HeaderMap;

use super::TokenStream;
use crate::{HedgeReport, Hints, Leg, PairReport};

/// A call for tokens with what its wrapper knows.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// What is asked; [`TokenCall::is_adapter`] is set by the router.
    pub call: TokenCall,
    /// The route it came by, for the report.
    pub api: Api,
    /// Whether the caller gets a stream, for the report; the engine gives one anyway.
    pub stream: bool,
    /// The request's id; becomes `x-request-id` at the engine, with the numbers of its strand and leg behind it where
    /// these are not the first.
    pub request_id: Arc<str>,
    /// Which of the calls that the request takes.
    pub leg: Leg,
    /// Headers to pass on to the engine. Hop-by-hop headers, `host` and `content-length` are left out anyway.
    pub headers: HeaderMap,
    /// What the caller's wrapper knows.
    pub hints: Hints,
}

impl TokenRequest {
    /// A request without id, headers or hints.
    #[must_use]
    pub fn new(api: Api, call: TokenCall) -> Self {
        Self {
            call,
            api,
            stream: true,
            request_id: Arc::from(""),
            leg: Leg::default(),
            headers: HeaderMap::new(),
            hints: Hints::default(),
        }
    }
}

/// An answer that has begun.
#[derive(Debug)]
pub struct TokenReply {
    /// The endpoint that serves it.
    pub endpoint: Arc<str>,
    /// The record of the last decision, where hints asked for it.
    pub explanation: Option<Box<Explanation>>,
    /// What became of splitting it between two engines; `None` where that was out of the question.
    pub pair: Option<PairReport>,
    /// What became of a second engine beside a silent one; `None` where none was called for.
    pub hedge: Option<Box<HedgeReport>>,
    /// The tokens.
    pub events: TokenStream,
}

//! What is asked at the edge, and what comes back.

use std::{sync::Arc, time::Duration};

use gateway_core::Explanation;
use gateway_proto::{
    ir::{Head, Request},
    openai::Api,
    text::{model::TextModel, template::LocalTime},
};
use http::HeaderMap;

use super::{AnswerEvents, by_text, by_tokens};
use crate::{HedgeReport, Hints, PairReport, RouteError, Router};

/// A request in the neutral form.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What is asked.
    pub request: Arc<Request>,
    /// The model's template, tokenizer and parser, where it is served by tokens.
    pub model: Option<Arc<TextModel>>,
    /// The route it came by, for reports.
    pub api: Api,
    /// Becomes `x-request-id` at the engine.
    pub request_id: Arc<str>,
    /// Headers to pass on to the engine.
    pub headers: HeaderMap,
    /// What the caller's wrapper knows.
    pub hints: Hints,
    /// The time that templates may print, and that answers carry.
    pub now: LocalTime,
    /// The same in seconds since 1970.
    pub unix_seconds: u64,
}

/// An answer that has begun.
#[derive(Debug)]
pub struct AnswerReply {
    /// The endpoint that serves it.
    pub endpoint: Arc<str>,
    /// The record of the decision, where hints asked for it.
    pub explanation: Option<Box<Explanation>>,
    /// What became of splitting the first prompt between two engines; `None` where that was out of the question.
    pub pair: Option<PairReport>,
    /// What became of a second engine beside a silent one; `None` where none was called for.
    pub hedge: Option<Box<HedgeReport>>,
    /// What is known before its first event.
    pub head: Head,
    /// How its prompt was made, where it is answered by tokens.
    pub preparation: Option<Preparation>,
    /// The prompts as text, where the request wants them given back.
    pub echo: Vec<String>,
    /// The rest. Dropping it cancels the answer everywhere.
    pub events: AnswerEvents,
}

/// How prompts were made of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// Tokens of all prompts.
    pub prompt_tokens: u64,
    /// Of these, tokens that an earlier turn had encoded.
    pub kept_tokens: u64,
    /// Time that took.
    pub took: Duration,
}

impl Router {
    /// Answers a request in the neutral form. The future ends when the answer begins; until then a failed attempt is tried
    /// elsewhere.
    ///
    /// # Errors
    /// Where the request is wrong for its model (before any engine is asked), or no endpoint served it.
    pub async fn answer(&self, ask: Ask) -> Result<AnswerReply, RouteError> {
        match ask.model.clone() {
            Some(model) => by_tokens::answer(self, ask, model).await,
            None => by_text::answer(self, ask).await,
        }
    }
}

impl Ask {
    /// The head of its answer.
    pub(super) fn head(&self, prompt_tokens: Option<u64>) -> Head {
        Head {
            id: self.request_id.to_string(),
            created: self.unix_seconds,
            model: self.request.model.clone(),
            prompt_tokens,
        }
    }
}

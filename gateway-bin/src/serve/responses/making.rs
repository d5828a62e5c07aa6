//! From a request that was read to a response that can begin.

use std::sync::Arc;

use gateway_core::hash;
use gateway_proto::{
    ir::{Head, Request},
    responses::{Framing, ResponseStream, ResponsesRequest},
};
use gateway_router::{RouteError, edge::AnswerReply};

use super::{history, keep::Keep, socket::Memory, truncate};
use crate::{
    clock,
    config::ServedModel,
    gate::Gate,
    serve::{
        answer::{self, Question},
        error_reply::Refusal,
    },
};

/// What an engine is asked, and by whom.
pub(super) struct Making {
    pub(super) question: Question,
    pub(super) served: ServedModel,
    pub(super) request_id: Arc<str>,
    pub(super) request: Arc<Request>,
}

/// A response that can begin.
pub(super) struct Ready {
    pub(super) stream: ResponseStream,
    pub(super) keep: Keep,
    pub(super) making: Making,
}

/// Looks up what `decoded` continues and makes it ready to be asked.
///
/// # Errors
/// Where what it continues is not there, or does not go with its input.
pub(super) async fn ready(
    gate: &Arc<Gate>,
    mut decoded: ResponsesRequest,
    framing: Framing,
    from: (Question, ServedModel, Arc<str>),
    memory: Option<Memory>,
) -> Result<Ready, Refusal> {
    let (mut question, served, request_id) = from;
    let shared = decoded.settings.prompt_cache_key.as_deref();
    let shared = shared.map(|key| hash::seed(&[key.as_bytes()]));
    question.hints.session = question.hints.session.or(shared);
    let owner = Arc::clone(&question.owner);
    let past = history::resolve(&gate.responses, &owner, &mut decoded, memory.as_ref()).await?;
    let seed = gate.ids.fresh();
    decoded.name_items(&seed);
    let stream = ResponseStream::new(&decoded, &head(&seed, &decoded.request), framing);
    let keep = Keep::new(gate, &owner, &decoded, past, memory);
    let mut request = decoded.request;
    if decoded.settings.truncate {
        request = truncate::fit(&served, request).await?;
    }
    Ok(Ready {
        stream,
        keep,
        making: Making {
            question,
            served,
            request_id,
            request: Arc::new(request),
        },
    })
}

fn head(seed: &str, request: &Request) -> Head {
    Head {
        id: seed.to_owned(),
        created: clock::unix_seconds().unsigned_abs(),
        model: request.model.clone(),
        prompt_tokens: None,
    }
}

impl Making {
    /// Has it answered.
    ///
    /// # Errors
    /// Where the request is wrong for its model, or no engine served it.
    pub(super) async fn ask(self, gate: &Gate) -> Result<AnswerReply, RouteError> {
        let Self {
            question,
            served,
            request_id,
            request,
        } = self;
        answer::ask(gate, question, request, &served, &request_id).await
    }
}

//! Generation: key, body, facts, routing.

use std::sync::Arc;

use gateway_core::hash;
use gateway_govern::keys;
use gateway_proto::openai::{Api, RequestView};
use gateway_router::ReplyBody;
use http::{Response, request::Parts};
use hyper::body::Incoming;

use super::{
    answer::{self, Question},
    body,
    error_reply::{self, Refusal},
    hints, info, local, raw,
    request_id::RequestId,
    responses,
};
use crate::{clock, config::ServedModel, gate::Gate, metrics::Rejection};

/// Serves a generation and counts it.
pub(super) async fn serve(
    gate: &Arc<Gate>,
    api: Api,
    parts: Parts,
    body: Incoming,
    id: &RequestId,
) -> Result<Response<ReplyBody>, Refusal> {
    let mut model = None;
    let served = routed(gate, api, parts, body, id, &mut model).await;
    gate.metrics
        .answered(api, model.as_deref(), error_reply::status(&served));
    served
}

/// `model` is set as soon as it is known, so that refusals are counted under it as well.
async fn routed(
    gate: &Arc<Gate>,
    api: Api,
    parts: Parts,
    body: Incoming,
    id: &RequestId,
    model: &mut Option<Box<str>>,
) -> Result<Response<ReplyBody>, Refusal> {
    let rules = gate.rules.load_full();
    let key = match rules
        .keys
        .authenticate(&parts.headers, clock::unix_seconds())
    {
        Ok(key) => key,
        Err(denied) => {
            body::linger(body);
            return Err(denied.into());
        }
    };
    let body = body::read(body, &rules.limits).await?;
    let mut view = RequestView::parse(api, &body, &rules.limits.view)?;
    if view.model.is_empty() {
        view.model = info::only_model(gate)?;
    }
    *model = Some(view.model.clone());
    key.check_model(&view.model)?;
    let mut headers = parts.headers;
    let mut hints =
        hints::read(&headers, key).map_err(|error| Refusal::new(error, Rejection::Invalid))?;
    keys::strip(&mut headers);
    let served = rules.served(&view.model);
    hints.session = hints.session.or_else(|| session(&view, &body));
    let question = Question {
        api,
        body,
        headers,
        hints,
        owner: Arc::clone(key.name()),
    };
    by_route(gate, view, question, &served, id).await
}

/// Serves what was let in: here, through the neutral form, or as it came.
async fn by_route(
    gate: &Arc<Gate>,
    view: RequestView,
    question: Question,
    served: &ServedModel,
    id: &RequestId,
) -> Result<Response<ReplyBody>, Refusal> {
    if local::answers(view.api, served) {
        return local::serve(gate, view, question, served, id).await;
    }
    if answer::translates(view.api, served) {
        return match view.api {
            Api::Responses => responses::create(gate, question, served, id).await,
            _ => answer::serve(gate, question, served, id).await,
        };
    }
    if let Some(model) = &served.tokens {
        local::check_ids(&view, &question.body, model)?;
    }
    raw::serve(gate, view, question, id).await
}

/// The conversation as the body tells it, which is gone from the body once that is translated.
fn session(view: &RequestView, body: &[u8]) -> Option<u64> {
    view.session_key(body).map(|key| hash::seed(&[key]))
}

#[cfg(test)]
mod tests {
    use gateway_proto::openai::ViewLimits;

    use super::*;

    #[test]
    fn a_conversation_is_known_by_what_its_bodies_say() {
        let told = |member: &str| {
            let body = format!(r#"{{"model":"m","messages":[{{"role":"user"}}]{member}}}"#);
            let limits = ViewLimits::default();
            let view = RequestView::parse(Api::ChatCompletions, body.as_bytes(), &limits);
            session(&view.expect("a good body"), body.as_bytes())
        };
        let first = told(r#","user":"u-1""#);
        assert!(first.is_some());
        assert_eq!(told(r#","temperature":0,"user":"u-1""#), first);
        assert_ne!(told(r#","user":"u-2""#), first);
        assert_eq!(told(""), None);
    }
}

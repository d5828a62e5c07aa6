//! What the gateway tells of itself: models, life, readiness, metrics.

use std::{borrow::Cow, collections::BTreeMap};

use gateway_core::Fleet;
use gateway_proto::{
    error::ApiError,
    openai::{ModelCard, encode_models},
};
use gateway_router::ReplyBody;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::error_reply::Refusal;
use crate::{
    clock,
    gate::Gate,
    metrics::{self, Rejection},
    stage::Stage,
};

/// `GET /v1/models`: what the caller's key may use.
pub(super) fn models(gate: &Gate, headers: &HeaderMap) -> Result<Response<ReplyBody>, Refusal> {
    Ok(json(StatusCode::OK, encode_models(&cards(gate, headers)?)))
}

/// `GET /v1/models/{id}`.
pub(super) fn model(
    gate: &Gate,
    headers: &HeaderMap,
    id: &str,
) -> Result<Response<ReplyBody>, Refusal> {
    let id = percent_decoded(id);
    let card = cards(gate, headers)?.into_iter().find(|card| card.id == id);
    let Some(card) = card else {
        return Err(Refusal::new(ApiError::unknown_model(&id), Rejection::Model));
    };
    let mut object = serde_json::to_value(card).expect("a card serialises");
    object["object"] = "model".into();
    Ok(json(StatusCode::OK, object.to_string().into()))
}

fn cards(gate: &Gate, headers: &HeaderMap) -> Result<Vec<ModelCard>, Refusal> {
    let rules = gate.rules.load();
    let key = rules.keys.authenticate(headers, clock::unix_seconds())?;
    let created = u64::try_from(gate.started_unix).unwrap_or(0);
    let mut cards = known(&gate.router.fleet(), created);
    cards.retain(|name, _| key.may_use(name));
    Ok(cards.into_values().collect())
}

/// The model of requests that name none.
///
/// # Errors
/// Where there are several to choose from, or none.
pub(super) fn only_model(gate: &Gate) -> Result<Box<str>, Refusal> {
    let fleet = gate.router.fleet();
    let specs = fleet.endpoints().iter().map(|endpoint| endpoint.spec());
    let mut names: Vec<&str> = specs
        .flat_map(|spec| &spec.models)
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    if let [only] = names[..] {
        return Ok(only.into());
    }
    let message =
        "Missing required parameter: 'model'. It can be left out only where one model is served.";
    let error = ApiError::invalid_request(message).with_code("missing_required_parameter");
    Err(Refusal::new(error.with_param("model"), Rejection::Invalid))
}

/// Models and adapters of all endpoints, each once, with the longest context that any endpoint gives it.
fn known(fleet: &Fleet, created: u64) -> BTreeMap<String, ModelCard> {
    let mut cards = BTreeMap::<String, ModelCard>::new();
    for endpoint in fleet.endpoints() {
        let spec = endpoint.spec();
        let parent = spec.models.first();
        let models = spec.models.iter().map(|name| (name, None));
        let adapters = endpoint.adapters();
        let adapters = adapters.iter().map(|name| (name, parent.cloned()));
        for (name, parent) in models.chain(adapters) {
            let card = cards.entry(name.clone()).or_insert_with(|| ModelCard {
                id: name.clone(),
                created,
                owned_by: "gateway".to_owned(),
                parent,
                ..ModelCard::default()
            });
            card.max_model_len = card.max_model_len.max(spec.context_tokens.map(u64::from));
        }
    }
    cards
}

/// `GET /health`: whoever gets this answer knows that the process lives.
pub(super) fn health() -> Response<ReplyBody> {
    json(
        StatusCode::OK,
        bytes::Bytes::from_static(b"{\"status\":\"ok\"}"),
    )
}

/// `GET /ready`: 200 while requests may come and some endpoint can take them.
pub(super) fn ready(gate: &Gate) -> Response<ReplyBody> {
    let now = gate.router.clock().now();
    let up = || {
        gate.router
            .fleet()
            .endpoints()
            .iter()
            .any(|one| one.state().availability(now).is_up())
    };
    let (status, word) = if gate.stages.now() > Stage::Serving {
        (StatusCode::SERVICE_UNAVAILABLE, "draining")
    } else if up() {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no endpoint is available")
    };
    json(status, format!("{{\"status\":\"{word}\"}}").into())
}

/// `GET /metrics`.
pub(super) fn metrics(gate: &Gate) -> Response<ReplyBody> {
    let mut reply = Response::new(ReplyBody::from(bytes::Bytes::from(metrics_page(gate))));
    let form = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    reply.headers_mut().insert(header::CONTENT_TYPE, form);
    reply
}

/// The metrics now.
pub(crate) fn metrics_page(gate: &Gate) -> String {
    let mut page = metrics::page(
        &gate.metrics,
        &gate.router.fleet(),
        &gate.router.feeds(),
        gate.router.clock().now(),
    );
    let (usage, running) = (gate.responses.usage(), gate.responses.running());
    page.push_str(&metrics::responses_page(&gate.metrics, &usage, running));
    page.push_str(&metrics::admission_page(&gate.router.admission()));
    page.push_str(&metrics::results_page(&gate.router.results()));
    page.push_str(&metrics::discovery_page(&gate.endpoints.load()));
    page.push_str(&metrics::edge_page(
        &gate.metrics,
        &gate.rules.load().models,
    ));
    page
}

pub(super) fn json(status: StatusCode, body: bytes::Bytes) -> Response<ReplyBody> {
    let mut reply = Response::new(ReplyBody::from(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    reply
}

/// Model names hold slashes, which some clients write as `%2F`.
pub(super) fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .filter(|_| *byte == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| {
            hex.bytes()
                .all(|b| b.is_ascii_hexdigit())
                .then(|| u8::from_str_radix(hex, 16).ok())
                .flatten()
        }) {
            out.push(byte);
            rest = &tail[2..];
        } else {
            out.push(*byte);
            rest = tail;
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_is_encoded_and_keeps_the_rest() {
        for (text, decoded) in [
            ("a/b", "a/b"),
            ("a%2Fb", "a/b"),
            ("%", "%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%+1", "%+1"),
        ] {
            assert_eq!(percent_decoded(text), decoded, "{text}");
        }
    }
}

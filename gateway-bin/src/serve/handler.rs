//! From a request's head to its reply's.

use std::sync::Arc;

use gateway_router::ReplyBody;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use hyper::body::Incoming;

use super::{
    admin, body,
    envelope::Envelope,
    error_reply::{self, Refusal},
    generate, info,
    request_id::{self, RequestId},
    responses,
    routes::{self, Route},
    worker::Site,
};
use crate::{gate::Gate, metrics::Rejection};

/// Serves one request; whatever goes wrong becomes a reply.
pub(super) async fn handle(
    gate: &Arc<Gate>,
    request: Request<Incoming>,
    site: Site,
) -> Response<ReplyBody> {
    let _in_flight = gate.metrics.door.request();
    let (parts, body) = request.into_parts();
    let id = gate.ids.of(&parts.headers);
    let (method, uri) = (parts.method.clone(), parts.uri.clone());
    let mut reply = match serve(gate, parts, body, &id, site).await {
        Ok(reply) => reply,
        Err(refusal) => refused(gate, &refusal, &id, &method, uri.path()),
    };
    reply.headers_mut().insert(request_id::HEADER, id.header);
    reply
}

async fn serve(
    gate: &Arc<Gate>,
    parts: Parts,
    body: Incoming,
    id: &RequestId,
    site: Site,
) -> Result<Response<ReplyBody>, Refusal> {
    let unknown = |error| Refusal::new(error, Rejection::Route);
    let uri = parts.uri.clone();
    match (site, routes::find(&parts.method, uri.path())) {
        (Site::Clients, Ok(Route::Generate(api))) => {
            generate::serve(gate, api, parts, body, id).await
        }
        (Site::Clients, Ok(Route::Responses(route))) => {
            responses::serve(gate, route, parts, body, id).await
        }
        (_, Ok(Route::Admin(route))) if !gate.rules.load().admin.is_empty() => {
            admin::serve(gate, route, parts, body).await
        }
        (Site::Clients, Ok(Route::Models)) => info::models(gate, &parts.headers),
        (Site::Clients, Ok(Route::Model(model))) => info::model(gate, &parts.headers, model),
        (_, Ok(Route::Health | Route::Greeting)) => Ok(info::health()),
        (_, Ok(Route::Ready)) => Ok(info::ready(gate)),
        (_, Ok(Route::Metrics)) if site == Site::Metrics || gate.metrics_here => {
            Ok(info::metrics(gate))
        }
        (_, found) => {
            body::linger(body);
            let absent =
                |_| gateway_proto::error::ApiError::not_found(parts.method.as_str(), uri.path());
            Err(unknown(found.map_or_else(|error| error, absent)))
        }
    }
}

fn refused(
    gate: &Gate,
    refusal: &Refusal,
    id: &RequestId,
    method: &Method,
    path: &str,
) -> Response<ReplyBody> {
    if let Some(at) = refusal.at {
        gate.metrics.door.reject(at);
        tracing::info!(
            target: "gateway::access",
            request_id = &*id.text,
            %method,
            path,
            status = refusal.api.status,
            reason = at.name(),
            "refused"
        );
    }
    let mut reply = error_reply::reply(refusal, id, Envelope::of(path));
    if reply.status() == StatusCode::METHOD_NOT_ALLOWED {
        reply.headers_mut().insert(
            header::ALLOW,
            HeaderValue::from_static(routes::methods(path)),
        );
    }
    reply
}

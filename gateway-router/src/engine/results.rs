//! The one answer that a decode engine of `MindIE` gives to all, and how it is told that a request is over.

use std::sync::Arc;

use bytes::Bytes;
use gateway_proto::engines::transfer::mindie;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use tokio::time::timeout;

use super::{
    EngineReply, HttpEngine,
    http::unsent,
    status::{self, ERROR_REPLY_BYTES},
};
use crate::{ErrorKind, Retry, RouteError, wire::EngineBody};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Opens the answer, on the address that serves requests.
pub(super) async fn open(engine: &HttpEngine) -> Result<EngineReply, RouteError> {
    let target = engine.pool.target();
    let (route, headers) = (mindie::PATH, HeaderMap::new());
    let request = engine.request(target, Method::GET, route, headers, Bytes::new());
    exchange(engine, request).await
}

async fn exchange(
    engine: &HttpEngine,
    request: Request<Full<Bytes>>,
) -> Result<EngineReply, RouteError> {
    let exchanged = HttpEngine::exchange(&engine.pool, request, engine.side_timeout).await;
    let (reply, connection) = exchanged.map_err(unsent)?;
    let (head, body) = reply.into_parts();
    let body = EngineBody::new(body, connection, Arc::clone(&engine.pool));
    Ok(EngineReply {
        status: head.status,
        headers: head.headers,
        body: body.boxed_unsync(),
    })
}

/// Tells the engine to give a request up; how it answers says whether it did.
pub(super) async fn stop(engine: &HttpEngine, model: &str, id: &str) -> Result<(), RouteError> {
    let told = timeout(engine.side_timeout, stop_unbounded(engine, model, id)).await;
    told.unwrap_or_else(|_| Err(unheard("The engine did not say whether it has stopped.")))
}

async fn stop_unbounded(engine: &HttpEngine, model: &str, id: &str) -> Result<(), RouteError> {
    let target = engine.pool.target();
    let path = mindie::stop_path(model).and_then(|path| target.named_path(&path));
    let path = path.ok_or_else(|| unheard("No such engine can have the model."))?;
    let body = Bytes::from(serde_json::json!({"id": id}).to_string());
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, JSON)]);
    let mut request = engine.request(target, Method::POST, "/", headers, body);
    *request.uri_mut() = path;
    let reply = exchange(engine, request).await?;
    let said = Limited::new(reply.body, ERROR_REPLY_BYTES).collect().await;
    if reply.status.is_success() {
        return Ok(());
    }
    let said = said.map(|whole| whole.to_bytes()).unwrap_or_default();
    Err(status::read(reply.status, &said))
}

fn unheard(message: &str) -> RouteError {
    RouteError::engine(ErrorKind::Unsupported, Retry::Never, message)
}

//! Replies and their bodies.

use std::io;

use bytes::Bytes;
use futures_util::stream;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::Value;

use crate::engine::error::ApiError;
use crate::engine::flavour::ErrorShape;

/// Any body; an error breaks the connection off.
pub(in crate::engine) type Body = UnsyncBoxBody<Bytes, io::Error>;

pub(in crate::engine) fn full(
    status: StatusCode,
    content_type: &'static str,
    bytes: Bytes,
) -> Response<Body> {
    let body = Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

pub(in crate::engine) fn json(value: &Value) -> Response<Body> {
    json_bytes(Bytes::from(value.to_string()))
}

pub(in crate::engine) fn json_bytes(bytes: Bytes) -> Response<Body> {
    full(StatusCode::OK, "application/json", bytes)
}

pub(in crate::engine) fn error(error: &ApiError, shape: ErrorShape) -> Response<Body> {
    let mut response = full(
        error.status(shape),
        "application/json",
        Bytes::from(error.body(shape).to_string()),
    );
    if let ApiError::NotAllowed(allowed) = error {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(allowed));
    }
    if error.status(shape) == StatusCode::SERVICE_UNAVAILABLE {
        // Seen with vLLM's refusal at admission.
        response
            .headers_mut()
            .insert(http::header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// A status without a body.
pub(in crate::engine) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = full(status, "text/plain", Bytes::new());
    response.headers_mut().remove(CONTENT_TYPE);
    response
}

pub(in crate::engine) fn event_stream<S>(body: StreamBody<S>) -> Response<Body>
where
    S: futures_util::Stream<Item = Result<Frame<Bytes>, io::Error>> + Send + 'static,
{
    let mut response = Response::new(body.boxed_unsync());
    let content_type = HeaderValue::from_static("text/event-stream; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// A body that promises `promised` bytes, gives `start` and breaks off.
pub(in crate::engine) fn cut_off(start: Bytes, promised: usize) -> Response<Body> {
    let chunks = [
        Ok(Frame::data(start)),
        Err(io::ErrorKind::ConnectionReset.into()),
    ];
    let mut response = event_stream(StreamBody::new(stream::iter(chunks)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(promised));
    response
}

//! Reading a request's body within its bounds.

use std::{pin::Pin, time::Duration};

use bytes::{Bytes, BytesMut};
use gateway_proto::error::ApiError;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time;

use super::error_reply::Refusal;
use crate::{config::ServeLimits, metrics::Rejection};

/// What is still read of a body after its request was refused, in bytes, so that the refusal is not lost in a reset.
const LINGER_BYTES: usize = 4 << 20;
/// How long.
const LINGER: Duration = Duration::from_secs(2);
/// The most memory set aside on the word of a `content-length`.
const TRUSTED_BYTES: usize = 256 << 10;

/// Reads `body` whole. A body of one frame, as small ones are, is not copied.
///
/// # Errors
/// 413 where it is too large (at once where it says so itself), 408 where it takes too long, 400 where it breaks off.
pub(super) async fn read(body: Incoming, limits: &ServeLimits) -> Result<Bytes, Refusal> {
    let limit = limits.request_bytes;
    if body.size_hint().lower() > limit as u64 {
        linger(body);
        return Err(too_large(limit));
    }
    let mut body = body;
    match time::timeout(limits.body_timeout, collect(&mut body, limit)).await {
        Ok(Ok(Some(whole))) => Ok(whole),
        Ok(Ok(None)) => {
            linger(body);
            Err(too_large(limit))
        }
        Ok(Err(_)) => Err(Refusal::new(
            ApiError::invalid_request("The request body broke off."),
            Rejection::Body,
        )),
        Err(_) => {
            let message = "The request body took too long to arrive.";
            Err(Refusal::new(
                ApiError::new(408, message).with_code("request_timeout"),
                Rejection::Body,
            ))
        }
    }
}

fn too_large(limit: usize) -> Refusal {
    Refusal::new(ApiError::too_large(limit as u64), Rejection::TooLarge)
}

/// `None` where there is more than `limit`.
async fn collect(body: &mut Incoming, limit: usize) -> Result<Option<Bytes>, hyper::Error> {
    let Some(first) = next(body).await? else {
        return Ok(Some(Bytes::new()));
    };
    if first.len() > limit {
        return Ok(None);
    }
    if body.is_end_stream() {
        return Ok(Some(first));
    }
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(0);
    let mut whole = BytesMut::with_capacity(first.len() + announced.min(TRUSTED_BYTES));
    whole.extend_from_slice(&first);
    drop(first);
    while let Some(data) = next(body).await? {
        if whole.len() + data.len() > limit {
            return Ok(None);
        }
        whole.extend_from_slice(&data);
    }
    Ok(Some(whole.freeze()))
}

async fn next(body: &mut Incoming) -> Result<Option<Bytes>, hyper::Error> {
    while let Some(frame) = Pin::new(&mut *body).frame().await {
        if let Ok(data) = frame?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

/// Goes on reading the body of a refused request for a while: a socket closed with unread bytes resets the connection,
/// and the caller would see that in place of its answer.
pub(super) fn linger(mut body: Incoming) {
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(time::timeout(LINGER, async move {
        let mut left = LINGER_BYTES;
        while let Ok(Some(data)) = next(&mut body).await {
            left = left.saturating_sub(data.len());
            if left == 0 {
                break;
            }
        }
    }));
}

//! The router as a `tower` service over plain `http` requests.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, Bytes};
use gateway_proto::{
    error::ApiError,
    openai::{Api, RequestView, ViewLimits},
};
use http::{Method, Request, Response, StatusCode, header, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::{Hints, Leg, ReplyBody, RouteError, RouteRequest, Router};

type Reply = Response<ReplyBody>;

/// Serves `POST /v1/chat/completions` and `POST /v1/completions`; everything else is 404 or 405. Errors are replies in
/// OpenAI's shape, so the service itself never fails. It checks nobody's identity: put that in a layer above.
impl<B> tower::Service<Request<B>> for Router
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Reply;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Reply, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let router = self.clone();
        Box::pin(async move {
            Ok(serve(router, request)
                .await
                .unwrap_or_else(|refused| error_reply(&refused)))
        })
    }
}

async fn serve<B>(router: Router, request: Request<B>) -> Result<Reply, Refused>
where
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let id = request_id(&parts);
    let refuse = |error: ApiError| Refused {
        error,
        retry_after: None,
        id: Arc::clone(&id),
    };
    let api = api_of(&parts).map_err(refuse)?;
    let body = collect(body, router.request_bytes())
        .await
        .map_err(refuse)?;
    let view = RequestView::parse(api, &body, &ViewLimits::default())
        .map_err(|error| refuse(error.into()))?;
    let hints = Hints::default();
    let routed = router.route(RouteRequest {
        view,
        body,
        request_id: Arc::clone(&id),
        leg: Leg::default(),
        headers: parts.headers,
        hints,
    });
    let reply = routed.await.map_err(|error: RouteError| Refused {
        retry_after: error.retry_after(),
        ..refuse(error.to_api().clone())
    })?;
    Ok(reply.response)
}

struct Refused {
    error: ApiError,
    retry_after: Option<Duration>,
    id: Arc<str>,
}

fn error_reply(refused: &Refused) -> Reply {
    let id = Some(&*refused.id).filter(|id| !id.is_empty());
    let mut reply = Response::new(ReplyBody::from(refused.error.to_json(id)));
    *reply.status_mut() =
        StatusCode::from_u16(refused.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    if let Some(wait) = refused.retry_after {
        reply
            .headers_mut()
            .insert(header::RETRY_AFTER, whole_seconds(wait).into());
    }
    if reply.status() == StatusCode::METHOD_NOT_ALLOWED {
        // Every route here takes one method; RFC 9110 (15.5.6) wants it named.
        reply
            .headers_mut()
            .insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    }
    reply
}

/// Whole seconds, rounded up: whoever comes back then is not too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn api_of(parts: &Parts) -> Result<Api, ApiError> {
    let path = parts.uri.path();
    let api = match path {
        "/v1/chat/completions" => Api::ChatCompletions,
        "/v1/completions" => Api::Completions,
        _ => return Err(ApiError::not_found(parts.method.as_str(), path)),
    };
    if parts.method == Method::POST {
        Ok(api)
    } else {
        Err(ApiError::method_not_allowed(parts.method.as_str()))
    }
}

fn request_id(parts: &Parts) -> Arc<str> {
    let told = parts
        .headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok());
    Arc::from(told.unwrap_or_default())
}

async fn collect<B>(body: B, limit: usize) -> Result<Bytes, ApiError>
where
    B: Body + Send,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ApiError::too_large(limit as u64)),
        Err(_) => Err(ApiError::invalid_request("The request body broke off.")),
    }
}

//! The route table.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::Door;
use super::dead::DeathMark;
use super::reply::{self, Body};
use super::table::{self, Route};
use super::{adapters, info, llamacpp, mindie, sglang, tgi, trtllm};
use crate::engine::api::{self, Kind, pooling, tokenize};
use crate::engine::clock::Clock;
use crate::engine::config::SimConfig;
use crate::engine::error::ApiError;
use crate::engine::faults::{FaultKind, FaultSpec};
use crate::engine::flavour::{ErrorShape, Flavour};
use crate::engine::shell::Shell;
use crate::engine::stats::Counters;
use crate::engine::transfer;

/// Answers one request.
pub(super) async fn answer(
    shell: Arc<Shell>,
    door: Door,
    mark: DeathMark,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let name = request_name(&shell, request.headers());
    let config = &shell.config;
    let outcome = match table::find(config.flavour, request.method(), request.uri().path()) {
        Ok(_) if !is_allowed(config, request.uri().path(), request.headers()) => {
            Err(ApiError::Unauthorized)
        }
        Ok(route) if !door.has(route) => Err(ApiError::Detail(StatusCode::NOT_FOUND)),
        Ok(route) => run(&shell, route, request, &name).await,
        Err(error) => Err(error),
    };
    let mut response = outcome.unwrap_or_else(|error| {
        let shape = match shell.faults.strike(FaultKind::FlatErrors) {
            Some(_) => ErrorShape::Flat,
            None => config.flavour.errors(),
        };
        reply::error(&error, shape)
    });
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert("x-request-id", name);
    }
    response.headers_mut().insert(
        http::header::SERVER,
        HeaderValue::from_static(config.flavour.server()),
    );
    let is_stream = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    // llama.cpp promises to keep the connection, and closes it after every streamed reply.
    let is_last = config.flavour == Flavour::Llamacpp && is_stream;
    if is_last || shell.faults.strike(FaultKind::DeadConnection).is_some() {
        response = response.map(|body| mark.after(body));
    }
    Ok(response)
}

/// What a request is called: as its header says, or by a number of its own.
fn request_name(shell: &Shell, headers: &HeaderMap) -> String {
    match headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok())
    {
        Some(name) => name.to_owned(),
        None => {
            let number = shell.counters.names.fetch_add(1, Ordering::Relaxed);
            let clock = Clock::unix_seconds().to_bits();
            format!(
                "{:016x}",
                gateway_core::Rng::from_seed(clock ^ number.rotate_left(48)).next_u64()
            )
        }
    }
}

fn is_allowed(config: &SimConfig, path: &str, headers: &HeaderMap) -> bool {
    let is_guarded = ["/v1", "/v2", "/inference"]
        .iter()
        .any(|prefix| path.starts_with(prefix));
    let Some(key) = config.api_key.as_ref().filter(|_| is_guarded) else {
        return true;
    };
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    given.and_then(|value| value.strip_prefix("Bearer ")) == Some(key)
}

async fn run(
    shell: &Arc<Shell>,
    route: Route,
    request: Request<Incoming>,
    name: &str,
) -> Result<Response<Body>, ApiError> {
    let config = &shell.config;
    match route {
        Route::Generation(kind) => generation(shell, kind, request, name).await,
        Route::Tokenize => Ok(reply::json(&tokenize::tokenize(
            shell,
            &json_body(config, request).await?,
        )?)),
        Route::Detokenize => Ok(reply::json(&tokenize::detokenize(
            shell,
            &json_body(config, request).await?,
        )?)),
        Route::Embeddings => pooled(shell, request, name, pooling::embeddings).await,
        Route::Rerank => pooled(shell, request, name, pooling::rerank).await,
        Route::Score => pooled(shell, request, name, pooling::score).await,
        Route::Health => Ok(info::health(shell).await),
        Route::Metrics => Ok(info::metrics(shell)),
        Route::Loads => Ok(reply::json(&sglang::loads(shell))),
        Route::ModelInfo => Ok(reply::json(&sglang::model_info(config))),
        Route::Models if config.flavour == Flavour::Llamacpp => {
            Ok(reply::json(&llamacpp::models(shell)))
        }
        Route::Models => Ok(reply::json(&info::models(shell))),
        Route::Iterations => Ok(reply::json(&trtllm::iterations(shell))),
        Route::KeptEvents => Ok(reply::json(&trtllm::kv_cache_events(shell))),
        Route::Status { is_second } => Ok(reply::json(&mindie::status(shell, is_second))),
        Route::Results => transfer::listen(shell),
        Route::Stop => transfer::stop(shell, &json_body(config, request).await?),
        Route::Info => Ok(reply::json(&tgi::info(shell))),
        Route::Props => Ok(reply::json(&llamacpp::props(shell))),
        Route::Slots => Ok(llamacpp::slots(shell, request.uri().query())),
        Route::Template => Ok(reply::json(&tokenize::template(
            shell,
            &json_body(config, request).await?,
        )?)),
        Route::Version => Ok(reply::json(&json!({"version": config.flavour.version()}))),
        Route::Load => {
            let stats = shell.stats();
            Ok(reply::json(
                &json!({"server_load": stats.running + stats.waiting}),
            ))
        }
        Route::KvEventSources => Ok(reply::json(&info::kv_event_sources(shell))),
        Route::ServerInfo => Ok(reply::json(&sglang::server_info(shell))),
        Route::ResetPrefixCache => {
            shell.reset_prefix_cache();
            Ok(reply::json(&json!({"success": true})))
        }
        Route::ReadFaults => Ok(reply::json(&json!(shell.faults.armed()))),
        Route::InjectFault => inject(shell, &json_body(config, request).await?),
        Route::ClearFaults => {
            shell.clear_faults();
            Ok(reply::json(&json!([])))
        }
        Route::LoadAdapter => adapters::load(shell, &json_body(config, request).await?),
        Route::UnloadAdapter => adapters::unload(shell, &json_body(config, request).await?),
        Route::Stats => Ok(reply::json(&json!(shell.stats()))),
    }
}

/// A route that answers at once, without the scheduler.
async fn pooled(
    shell: &Arc<Shell>,
    request: Request<Incoming>,
    name: &str,
    answer: impl FnOnce(&Shell, &Value, &str) -> Result<Value, ApiError>,
) -> Result<Response<Body>, ApiError> {
    Counters::add(&shell.counters.requests);
    let (parts, body) = request.into_parts();
    let bytes = collect(&shell.config, body).await?;
    shell
        .counters
        .remember(parts.uri.path(), &parts.headers, &bytes);
    api::suffer(shell, &bytes).await?;
    check_content_type(&parts.headers)?;
    Ok(reply::json(&answer(shell, &parse(&bytes)?, name)?))
}

async fn generation(
    shell: &Arc<Shell>,
    kind: Kind,
    request: Request<Incoming>,
    name: &str,
) -> Result<Response<Body>, ApiError> {
    Counters::add(&shell.counters.requests);
    let (parts, body) = request.into_parts();
    let bytes = collect(&shell.config, body).await?;
    shell
        .counters
        .remember(parts.uri.path(), &parts.headers, &bytes);
    api::suffer(shell, &bytes).await?;
    check_content_type(&parts.headers)?;
    api::serve(shell, kind, &parts.headers, &parse(&bytes)?, name).await
}

fn inject(shell: &Shell, body: &Value) -> Result<Response<Body>, ApiError> {
    let spec: FaultSpec = serde_json::from_value(body.clone())
        .map_err(|error| ApiError::bad_request("", error.to_string()))?;
    shell.inject(spec);
    Ok(reply::json(&json!(shell.faults.armed())))
}

async fn json_body(config: &SimConfig, request: Request<Incoming>) -> Result<Value, ApiError> {
    parse(&collect(config, request.into_body()).await?)
}

async fn collect(config: &SimConfig, body: Incoming) -> Result<Bytes, ApiError> {
    match Limited::new(body, config.max_body_bytes).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(_) => Err(ApiError::Detail(StatusCode::PAYLOAD_TOO_LARGE)),
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiError::unsupported_media_type())
    }
}

fn parse(bytes: &Bytes) -> Result<Value, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let at = error.column().saturating_sub(1).to_string();
        ApiError::validation(
            "json_invalid",
            &at,
            "JSON decode error",
            "'<dict of 0 items>'",
        )
    })
}

//! Which path is what.

use http::{Method, StatusCode};

use crate::engine::api::Kind;
use crate::engine::config::Flavour;
use crate::engine::error::ApiError;

/// What an engine answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Generation(Kind),
    Embeddings,
    Rerank,
    Score,
    Tokenize,
    Detokenize,
    Health,
    Metrics,
    Models,
    Version,
    Load,
    Loads,
    KvEventSources,
    ServerInfo,
    ModelInfo,
    ResetPrefixCache,
    ReadFaults,
    InjectFault,
    ClearFaults,
    Stats,
}

type Row = (&'static str, &'static str, Route);

/// What both flavours have.
const COMMON: [Row; 22] = [
    (
        "POST",
        "/v1/chat/completions",
        Route::Generation(Kind::Chat),
    ),
    (
        "POST",
        "/v1/completions",
        Route::Generation(Kind::Completions),
    ),
    ("POST", "/v1/embeddings", Route::Embeddings),
    ("POST", "/v1/rerank", Route::Rerank),
    ("POST", "/rerank", Route::Rerank),
    ("POST", "/v1/score", Route::Score),
    ("POST", "/score", Route::Score),
    ("POST", "/tokenize", Route::Tokenize),
    ("POST", "/detokenize", Route::Detokenize),
    ("GET", "/health", Route::Health),
    ("GET", "/ping", Route::Health),
    ("POST", "/ping", Route::Health),
    ("GET", "/metrics", Route::Metrics),
    ("GET", "/v1/models", Route::Models),
    ("GET", "/version", Route::Version),
    ("GET", "/kv_event_sources", Route::KvEventSources),
    ("GET", "/server_info", Route::ServerInfo),
    ("POST", "/reset_prefix_cache", Route::ResetPrefixCache),
    ("GET", "/sim/faults", Route::ReadFaults),
    ("POST", "/sim/faults", Route::InjectFault),
    ("DELETE", "/sim/faults", Route::ClearFaults),
    ("GET", "/sim/stats", Route::Stats),
];

const VLLM: [Row; 2] = [
    (
        "POST",
        "/inference/v1/generate",
        Route::Generation(Kind::Generate),
    ),
    ("GET", "/load", Route::Load),
];

const SGLANG: [Row; 6] = [
    ("POST", "/generate", Route::Generation(Kind::SglangGenerate)),
    ("PUT", "/generate", Route::Generation(Kind::SglangGenerate)),
    ("GET", "/health_generate", Route::Health),
    ("GET", "/v1/loads", Route::Loads),
    ("GET", "/model_info", Route::ModelInfo),
    ("POST", "/flush_cache", Route::ResetPrefixCache),
];

/// The route of a method and a path.
pub(super) fn find(flavour: Flavour, method: &Method, path: &str) -> Result<Route, ApiError> {
    let own = match flavour {
        Flavour::Vllm => &VLLM[..],
        Flavour::Sglang => &SGLANG[..],
    };
    let here = || {
        COMMON
            .iter()
            .chain(own)
            .filter(|(_, known, _)| *known == path)
    };
    match (here().find(|(known, ..)| known == method), here().next()) {
        (Some((_, _, route)), _) => Ok(*route),
        (None, Some((allowed, ..))) => Err(ApiError::NotAllowed(allowed)),
        (None, None) => Err(ApiError::Detail(StatusCode::NOT_FOUND)),
    }
}

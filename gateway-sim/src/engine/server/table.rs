//! Which path is what.

use http::{Method, StatusCode};

use crate::engine::api::{Kind, Style};
use crate::engine::error::ApiError;
use crate::engine::flavour::Flavour;

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
    LoadAdapter,
    UnloadAdapter,
    ReadFaults,
    InjectFault,
    ClearFaults,
    Stats,
    /// TensorRT-LLM's `/metrics`.
    Iterations,
    /// Its KV events.
    KeptEvents,
    /// MindIE's, of the first version or the second.
    Status {
        is_second: bool,
    },
    /// A decode engine's answers to all requests together.
    Results,
    /// A request is not wanted any more.
    Stop,
    /// TGI's.
    Info,
    /// llama.cpp's.
    Props,
    Slots,
    Template,
}

type Row = (&'static str, &'static str, Route);

/// What all have: OpenAI's routes, and those of the simulation.
const COMMON: &[Row] = &[
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
    ("GET", "/v1/models", Route::Models),
    ("GET", "/health", Route::Health),
    ("GET", "/sim/faults", Route::ReadFaults),
    ("POST", "/sim/faults", Route::InjectFault),
    ("DELETE", "/sim/faults", Route::ClearFaults),
    ("GET", "/sim/stats", Route::Stats),
];

/// What vLLM and `SGLang` share.
const SERVERS: &[Row] = &[
    ("POST", "/v1/embeddings", Route::Embeddings),
    ("POST", "/v1/rerank", Route::Rerank),
    ("POST", "/rerank", Route::Rerank),
    ("POST", "/v1/score", Route::Score),
    ("POST", "/score", Route::Score),
    ("POST", "/tokenize", Route::Tokenize),
    ("POST", "/detokenize", Route::Detokenize),
    ("GET", "/ping", Route::Health),
    ("GET", "/metrics", Route::Metrics),
];

const VLLM: &[Row] = &[
    ("POST", "/v1/load_lora_adapter", Route::LoadAdapter),
    ("POST", "/v1/unload_lora_adapter", Route::UnloadAdapter),
    (
        "POST",
        "/inference/v1/generate",
        Route::Generation(Kind::Generate),
    ),
    ("POST", "/ping", Route::Health),
    ("GET", "/version", Route::Version),
    ("GET", "/load", Route::Load),
    ("GET", "/kv_event_sources", Route::KvEventSources),
    ("POST", "/reset_prefix_cache", Route::ResetPrefixCache),
];

const SGLANG: &[Row] = &[
    ("POST", "/load_lora_adapter", Route::LoadAdapter),
    ("POST", "/unload_lora_adapter", Route::UnloadAdapter),
    ("POST", "/generate", Route::Generation(Kind::SglangGenerate)),
    ("PUT", "/generate", Route::Generation(Kind::SglangGenerate)),
    ("GET", "/health_generate", Route::Health),
    ("GET", "/ready", Route::Health),
    ("GET", "/v1/loads", Route::Loads),
    ("GET", "/model_info", Route::ModelInfo),
    ("GET", "/server_info", Route::ServerInfo),
    ("POST", "/v1/tokenize", Route::Tokenize),
    ("POST", "/flush_cache", Route::ResetPrefixCache),
];

/// The routes of text that TGI has, and MindIE after it.
const TEXT: &[Row] = &[
    ("POST", "/", Route::Generation(Kind::Text(Style::Root))),
    (
        "POST",
        "/generate",
        Route::Generation(Kind::Text(Style::Whole)),
    ),
    (
        "POST",
        "/generate_stream",
        Route::Generation(Kind::Text(Style::Stream)),
    ),
];

/// MindIE's three ports in one.
const MINDIE: &[Row] = &[
    (
        "POST",
        "/infer",
        Route::Generation(Kind::Text(Style::Infer)),
    ),
    (
        "POST",
        "/infer_token",
        Route::Generation(Kind::Text(Style::InferToken)),
    ),
    ("GET", "/dresult", Route::Results),
    ("GET", "/v2/health/ready", Route::Health),
    ("GET", "/v2/health/live", Route::Health),
    ("GET", "/v1/status", Route::Status { is_second: false }),
    ("GET", "/v2/status", Route::Status { is_second: true }),
    ("GET", "/metrics", Route::Metrics),
];

const TRTLLM: &[Row] = &[
    ("GET", "/health_generate", Route::Health),
    ("GET", "/version", Route::Version),
    ("GET", "/metrics", Route::Iterations),
    ("POST", "/kv_cache_events", Route::KeptEvents),
    ("GET", "/prometheus/metrics", Route::Metrics),
    ("POST", "/tokenize", Route::Tokenize),
];

const LLAMACPP: &[Row] = &[
    ("POST", "/completion", Route::Generation(Kind::Llamacpp)),
    ("POST", "/completions", Route::Generation(Kind::Llamacpp)),
    ("GET", "/v1/health", Route::Health),
    ("GET", "/props", Route::Props),
    ("GET", "/slots", Route::Slots),
    ("GET", "/metrics", Route::Metrics),
    ("POST", "/tokenize", Route::Tokenize),
    ("POST", "/detokenize", Route::Detokenize),
    ("POST", "/apply-template", Route::Template),
];

const TGI: &[Row] = &[
    ("GET", "/ping", Route::Health),
    ("GET", "/v2/health/ready", Route::Health),
    ("GET", "/v2/health/live", Route::Health),
    ("GET", "/info", Route::Info),
    ("GET", "/metrics", Route::Metrics),
    ("POST", "/tokenize", Route::Tokenize),
];

/// The routes of an engine beside those that all have.
const fn own(flavour: Flavour) -> [&'static [Row]; 2] {
    match flavour {
        Flavour::Vllm => [SERVERS, VLLM],
        Flavour::Sglang => [SERVERS, SGLANG],
        Flavour::Mindie => [TEXT, MINDIE],
        Flavour::Trtllm => [TRTLLM, &[]],
        Flavour::Llamacpp => [LLAMACPP, &[]],
        Flavour::Tgi => [TEXT, TGI],
    }
}

/// Whether a path of `MindIE` stops a request of one of its models.
fn is_stop(path: &str) -> bool {
    let model = path.strip_prefix("/v2/models/");
    let model = model.and_then(|rest| rest.strip_suffix("/stopInfer"));
    model.is_some_and(|model| !model.is_empty() && !model.contains('/'))
}

/// The route of a method and a path.
pub(super) fn find(flavour: Flavour, method: &Method, path: &str) -> Result<Route, ApiError> {
    if flavour == Flavour::Mindie && method == Method::POST && is_stop(path) {
        return Ok(Route::Stop);
    }
    let [own, more] = own(flavour);
    let here = || {
        let rows = COMMON.iter().chain(own).chain(more);
        rows.filter(|(_, known, _)| *known == path)
    };
    match (here().find(|(known, ..)| known == method), here().next()) {
        (Some((_, _, route)), _) => Ok(*route),
        (None, Some((allowed, ..))) => Err(ApiError::NotAllowed(allowed)),
        (None, None) => Err(ApiError::Detail(StatusCode::NOT_FOUND)),
    }
}

//! Method and path to what is served.

use gateway_proto::{error::ApiError, openai::Api};
use http::Method;

use super::{admin, responses};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// Generation.
    Generate(Api),
    /// Kept responses, conversations, and the WebSocket form.
    Responses(responses::Route<'a>),
    /// Endpoints and who lists them.
    Admin(admin::Route<'a>),
    /// `/v1/models`.
    Models,
    /// `/v1/models/{id}`, the id as written.
    Model(&'a str),
    /// `/health`: the process lives.
    Health,
    /// `HEAD /` and `HEAD /api/hello`: what clients of Anthropic ask to see whether anybody is there.
    Greeting,
    /// `/ready`: requests may come.
    Ready,
    /// `/metrics`.
    Metrics,
}

/// The route of a request.
///
/// # Errors
/// 404 for an unknown path, 405 for a known one with another method.
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Result<Route<'a>, ApiError> {
    let route = match path {
        "/v1/models" => Route::Models,
        "/health" => Route::Health,
        "/ready" => Route::Ready,
        "/metrics" => Route::Metrics,
        "/" | "/api/hello" if method == Method::HEAD => Route::Greeting,
        _ => match (path.strip_prefix("/v1/models/"), Api::from_path(path)) {
            (Some(id), _) if !id.is_empty() => Route::Model(id),
            (_, Some(Api::Responses)) if method == Method::GET => {
                Route::Responses(responses::Route::Socket)
            }
            (_, Some(api)) => Route::Generate(api),
            _ if let Some(route) = responses::find(path) => Route::Responses(route),
            _ if let Some(route) = admin::find(path) => Route::Admin(route),
            _ => return Err(ApiError::not_found(method.as_str(), path)),
        },
    };
    let allowed = match route {
        Route::Responses(route) => route.allows(method),
        Route::Admin(route) => route.allows(method),
        Route::Generate(_) => method == Method::POST,
        _ => method == Method::GET || method == Method::HEAD,
    };
    if allowed {
        Ok(route)
    } else {
        Err(ApiError::method_not_allowed(method.as_str()))
    }
}

/// The methods of the route at `path`, for the `allow` header of a 405.
pub(super) fn methods(path: &str) -> &'static str {
    if let Some(route) = admin::find(path) {
        return route.methods();
    }
    match (responses::find(path), Api::from_path(path)) {
        (Some(route), _) => responses::methods(route),
        (None, Some(_)) => "POST",
        (None, None) => "GET, HEAD",
    }
}

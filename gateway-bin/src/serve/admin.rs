//! `/admin/endpoints`: the list of endpoints for operators, and changes of it.

use std::{borrow::Cow, path::Path, sync::Arc};

use bytes::Bytes;
use gateway_core::Fleet;
use gateway_proto::error::ApiError;
use gateway_router::ReplyBody;
use http::{Method, Response, StatusCode, request::Parts};
use hyper::body::Incoming;
use serde::Serialize;
use tokio::task;

use super::{
    body,
    error_reply::Refusal,
    info::{self, percent_decoded},
};
use crate::{
    clock,
    config::{self, EndpointConfig, Environment, ServeLimits},
    discovery::{Change, ChangeError, EndpointStatus, SourceStatus, Status},
    gate::Gate,
    metrics::Rejection,
};

/// What is asked for, names as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// The whole list.
    Endpoints,
    /// One endpoint.
    Endpoint(&'a str),
    /// Whether it gets new requests.
    Drain(&'a str),
}

/// The route at `path`.
pub(super) fn find(path: &str) -> Option<Route<'_>> {
    let rest = path.strip_prefix("/admin/endpoints")?;
    if rest.is_empty() {
        return Some(Route::Endpoints);
    }
    let mut parts = rest.strip_prefix('/')?.split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, None) if !name.is_empty() => Some(Route::Endpoint(name)),
        (Some(name), Some("drain"), None) if !name.is_empty() => Some(Route::Drain(name)),
        _ => None,
    }
}

impl Route<'_> {
    pub(super) fn allows(self, method: &Method) -> bool {
        match self {
            Self::Endpoints => method == Method::GET || method == Method::POST,
            Self::Endpoint(_) => method == Method::DELETE,
            Self::Drain(_) => method == Method::PUT || method == Method::DELETE,
        }
    }

    pub(super) fn methods(self) -> &'static str {
        match self {
            Self::Endpoints => "GET, POST",
            Self::Endpoint(_) => "DELETE",
            Self::Drain(_) => "PUT, DELETE",
        }
    }
}

/// Serves it to whoever has an admin key. A change is answered with the list after it.
pub(super) async fn serve(
    gate: &Arc<Gate>,
    route: Route<'_>,
    parts: Parts,
    body: Incoming,
) -> Result<Response<ReplyBody>, Refusal> {
    let rules = gate.rules.load_full();
    let key = rules
        .admin
        .authenticate(&parts.headers, clock::unix_seconds());
    let key = match key {
        Ok(key) => key.name(),
        Err(denied) => {
            body::linger(body);
            return Err(denied.into());
        }
    };
    let (method, path) = (&parts.method, parts.uri.path());
    if route == Route::Endpoints && method == Method::GET {
        return Ok(list(gate, StatusCode::OK));
    }
    let made = make(gate, route, method, body, &rules.limits).await;
    match &made {
        Ok(_) => {
            tracing::info!(key = &**key, %method, path, "endpoints changed by an operator");
        }
        Err(refusal) => {
            let reason = &*refusal.api.message;
            tracing::info!(key = &**key, %method, path, reason, "an operator's change is refused");
        }
    }
    Ok(list(gate, made?))
}

/// Makes the change; gives the status of the answer.
async fn make(
    gate: &Gate,
    route: Route<'_>,
    method: &Method,
    body: Incoming,
    limits: &ServeLimits,
) -> Result<StatusCode, Refusal> {
    let (change, status) = match route {
        Route::Endpoints => {
            let body = body::read(body, limits).await?;
            // It may name files, which are read.
            let read = task::spawn_blocking(move || entry(&body)).await;
            let entry = read.map_err(|_| refused(&ChangeError::Stopping))??;
            (Change::Add(entry), StatusCode::CREATED)
        }
        Route::Endpoint(name) => (Change::Remove(owned(name)), StatusCode::OK),
        Route::Drain(name) if method == Method::PUT => (Change::Drain(owned(name)), StatusCode::OK),
        Route::Drain(name) => (Change::Resume(owned(name)), StatusCode::OK),
    };
    let made = gate.orders.change(change).await;
    made.map(|()| status).map_err(|error| refused(&error))
}

fn owned(name: &str) -> String {
    percent_decoded(name).into_owned()
}

/// An endpoint as it would stand in the configuration. Variables are not replaced: they are the process's own.
fn entry(body: &Bytes) -> Result<Vec<EndpointConfig>, Refusal> {
    let invalid = |message: Cow<'_, str>| {
        Refusal::new(
            ApiError::invalid_request(message.into_owned()),
            Rejection::Invalid,
        )
    };
    let text = std::str::from_utf8(body).map_err(|_| invalid("The body is no text.".into()))?;
    let indented = text.trim().replace('\n', "\n  ");
    let listed = format!("- {indented}\n");
    config::read_endpoints(&listed, Path::new("body"), &Environment::empty())
        .map_err(|error| invalid(error.to_string().into()))
}

fn refused(error: &ChangeError) -> Refusal {
    let (status, code) = match error {
        ChangeError::Taken(_) | ChangeError::SameEngine(_) => (409, "endpoint_exists"),
        ChangeError::Unknown(_) => (404, "endpoint_not_found"),
        ChangeError::SameFeed(_) => (409, "feed_exists"),
        ChangeError::NotAdded(_) => (409, "endpoint_not_added"),
        ChangeError::TooMany(_) => (409, "too_many_endpoints"),
        ChangeError::Build(_) => (400, "invalid_endpoints"),
        ChangeError::Stopping => (503, "stopping"),
    };
    let api = ApiError::new(status, error.to_string()).with_code(code);
    Refusal::new(api, Rejection::Invalid)
}

#[derive(Serialize)]
struct Listing<'a> {
    endpoints: Vec<Entry<'a>>,
    sources: &'a [SourceStatus],
    left_out: usize,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    url: &'a str,
    source: &'a str,
    state: &'a str,
    available: bool,
    requests: u32,
    models: Vec<String>,
    adapters: Vec<String>,
}

fn list(gate: &Gate, status: StatusCode) -> Response<ReplyBody> {
    let (told, fleet) = (gate.endpoints.load(), gate.router.fleet());
    let Status {
        endpoints,
        sources,
        left_out,
    } = &**told;
    let listing = Listing {
        endpoints: endpoints
            .iter()
            .map(|one| entry_of(one, gate, &fleet))
            .collect(),
        sources,
        left_out: *left_out,
    };
    let body = serde_json::to_vec(&listing).expect("plain data serialises");
    info::json(status, body.into())
}

fn entry_of<'a>(told: &'a EndpointStatus, gate: &Gate, fleet: &Fleet) -> Entry<'a> {
    let endpoint = fleet.by_name(&told.name);
    let now = gate.router.clock().now();
    let state = endpoint.map(|endpoint| endpoint.state());
    Entry {
        name: &told.name,
        url: &told.url,
        source: &told.source,
        state: told.state,
        available: state.is_some_and(|state| state.availability(now).is_up()),
        requests: state.map_or(0, |state| state.in_flight().requests),
        models: endpoint
            .map(|one| one.spec().models.clone())
            .unwrap_or_default(),
        adapters: endpoint.map(|one| one.adapters()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_slashes_are_written_as_one_segment() {
        assert_eq!(find("/admin/endpoints"), Some(Route::Endpoints));
        assert_eq!(
            find("/admin/endpoints/a%2F0"),
            Some(Route::Endpoint("a%2F0"))
        );
        assert_eq!(find("/admin/endpoints/a/drain"), Some(Route::Drain("a")));
        for unknown in [
            "/admin",
            "/admin/endpoints/",
            "/admin/endpointsx",
            "/admin/endpoints/a/b",
            "/admin/endpoints//drain",
        ] {
            assert_eq!(find(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_body_is_one_endpoint_in_json_or_yaml() {
        let read = |body: &'static str| entry(&Bytes::from_static(body.as_bytes()));
        for good in [
            r#"{"name": "a", "url": "http://h:1", "kind": "vllm", "models": ["m"]}"#,
            "name: a\nurl: http://h:1\nmodels: [m]\n",
        ] {
            assert_eq!(read(good).expect(good)[0].settings.spec.name, "a");
        }
        let ranks =
            read(r#"{"name":"a","url":"http://h:1","data_parallel_ranks":2}"#).expect("valid");
        let names: Vec<_> = ranks.iter().map(|one| &*one.settings.spec.name).collect();
        assert_eq!(names, ["a/0", "a/1"]);
        for bad in [
            "",
            "{}",
            "[]",
            r#"{"name":"a","url":"http://h:1","what":1}"#,
            r#"{"name":"a","url":"${HOME}"}"#,
            // A file that never ends.
            r#"{"name":"a","url":"https://h:1","tls":{"ca_file":"/dev/zero"}}"#,
        ] {
            assert_eq!(read(bad).expect_err(bad).api.status, 400, "{bad}");
        }
    }
}

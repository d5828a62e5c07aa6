//! The API server's two questions: list and watch.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use tokio::time::timeout;

use super::{
    KubernetesSettings, OBJECTS_AT_MOST, Resource,
    objects::{List, Object},
};
use crate::wire::{EngineBody, Pool, SendError};

/// Objects of one page of a list.
const PAGE: usize = 500;
/// The largest page, in bytes.
const PAGE_BYTES: usize = 64 << 20;
/// How much longer than asked for a watch may be silent: the server ends it by then.
const GRACE: Duration = Duration::from_secs(30);

/// Why an API server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// No connection.
    #[error("no connection: {0}")]
    Connect(io::Error),
    /// It closed the connection, or its answer broke off.
    #[error("the answer broke off")]
    Broken,
    /// It was silent for too long.
    #[error("no answer in time")]
    Timeout,
    /// It refused.
    #[error("the server answered {0}")]
    Status(u16),
    /// The version to watch from is too old.
    #[error("the version is too old")]
    Gone,
    /// The token cannot be read.
    #[error("the token cannot be read: {0}")]
    Token(io::Error),
    /// Its answer is none.
    #[error("the answer makes no sense: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Its address and these settings make no URL.
    #[error("no URL can be made: {0}")]
    Url(#[from] http::uri::InvalidUri),
    /// A line of a watch is too long.
    #[error("an event is too large")]
    TooLarge,
}

pub(super) struct Api {
    pool: Arc<Pool>,
    token_file: Option<PathBuf>,
    path: String,
    patience: Duration,
    watch: Duration,
}

impl Api {
    pub(super) fn new(settings: &KubernetesSettings) -> Self {
        Self {
            pool: Arc::new(Pool::new(settings.server.clone(), 1)),
            token_file: settings.token_file.clone(),
            path: path(settings),
            patience: settings.patience,
            watch: settings.watch,
        }
    }

    /// All objects, and the version of the list.
    pub(super) async fn list(&self) -> Result<(Vec<Object>, String), KubernetesError> {
        let mut objects = Vec::new();
        let mut next = String::new();
        loop {
            let query = format!("&limit={PAGE}{next}");
            let page = timeout(self.patience, self.page(&query)).await;
            let page = page.map_err(|_| KubernetesError::Timeout)??;
            objects.extend(page.items);
            match page.metadata.next {
                Some(token) if !token.is_empty() && objects.len() < OBJECTS_AT_MOST => {
                    next = format!("&continue={}", escaped(&token));
                }
                _ => return Ok((objects, page.metadata.resource_version)),
            }
        }
    }

    async fn page(&self, query: &str) -> Result<List, KubernetesError> {
        let body = self.get(query).await?;
        let whole = Limited::new(body, PAGE_BYTES).collect().await;
        let whole = whole.map_err(|_| KubernetesError::Broken)?.to_bytes();
        Ok(serde_json::from_slice(&whole)?)
    }

    /// Changes since `version`, and how long each may be waited for.
    pub(super) async fn watch(
        &self,
        version: &str,
    ) -> Result<(EngineBody, Duration), KubernetesError> {
        let query = format!(
            "&watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
            self.watch.as_secs().max(1),
            escaped(version)
        );
        let body = timeout(self.patience, self.get(&query)).await;
        let body = body.map_err(|_| KubernetesError::Timeout)??;
        Ok((body, self.watch + GRACE))
    }

    async fn get(&self, query: &str) -> Result<EngineBody, KubernetesError> {
        let request = self.request(query).await?;
        let opened = self.pool.open(self.patience).await.map_err(unsent);
        let mut connection = opened?;
        let reply = connection.send(request).await.map_err(unsent)?;
        let (head, body) = reply.into_parts();
        match head.status {
            StatusCode::GONE => Err(KubernetesError::Gone),
            status if status.is_success() => {
                Ok(EngineBody::new(body, connection, Arc::clone(&self.pool)))
            }
            status => Err(KubernetesError::Status(status.as_u16())),
        }
    }

    async fn request(&self, query: &str) -> Result<Request<Full<Bytes>>, KubernetesError> {
        let target = self.pool.target();
        let url = format!("{}{}{query}", target.base(), self.path);
        let mut request = Request::new(Full::default());
        *request.uri_mut() = url.parse::<Uri>()?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, target.authority().clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = self.token().await? {
            headers.insert(header::AUTHORIZATION, token);
        }
        Ok(request)
    }

    async fn token(&self) -> Result<Option<HeaderValue>, KubernetesError> {
        let Some(file) = self.token_file.clone() else {
            return Ok(None);
        };
        let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(file)).await;
        let text = read.unwrap_or_else(|error| Err(io::Error::other(error)));
        let text = text.map_err(KubernetesError::Token)?;
        let value = HeaderValue::try_from(format!("Bearer {}", text.trim()));
        let mut value = value.map_err(|error| KubernetesError::Token(io::Error::other(error)))?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

fn unsent(error: SendError) -> KubernetesError {
    match error {
        SendError::Connect(cause) => KubernetesError::Connect(cause),
        SendError::Closed { .. } | SendError::Garbled => KubernetesError::Broken,
    }
}

/// The objects' path, with the selector.
fn path(settings: &KubernetesSettings) -> String {
    let (group, plural) = match settings.resource {
        Resource::Pods => ("/api/v1", "pods"),
        Resource::EndpointSlices => ("/apis/discovery.k8s.io/v1", "endpointslices"),
    };
    let within = settings.namespace.as_ref();
    let within = within.map(|name| format!("/namespaces/{}", escaped(name)));
    let selector = escaped(&settings.selector);
    format!(
        "{group}{}/{plural}?labelSelector={selector}",
        within.unwrap_or_default()
    )
}

/// `text` as it may stand in a URL.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;

    #[test]
    fn objects_are_asked_for_by_group_namespace_and_label() {
        let server = Target::parse("https://api:6443").expect("valid");
        let mut settings = KubernetesSettings::new(server, Resource::Pods, "app=a b,x in (1,2)");
        assert_eq!(
            path(&settings),
            "/api/v1/pods?labelSelector=app%3Da%20b%2Cx%20in%20%281%2C2%29"
        );
        settings.namespace = Some("ns".to_owned());
        settings.resource = Resource::EndpointSlices;
        settings.selector.clear();
        assert_eq!(
            path(&settings),
            "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices?labelSelector="
        );
    }
}

//! What an API server is asked for.

use std::{path::PathBuf, time::Duration};

use crate::Target;

/// The objects that endpoints are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Pods: one endpoint each.
    Pods,
    /// Endpoint slices: the addresses behind a service.
    EndpointSlices,
}

/// The port that an engine listens at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KubernetesPort {
    /// This one.
    Number(u16),
    /// The one of this name.
    Named(String),
}

/// Which objects, of which server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesSettings {
    /// The API server.
    pub server: Target,
    /// A file with the token to show there, read anew for each request, as such tokens are short-lived.
    pub token_file: Option<PathBuf>,
    /// The namespace; all where unset.
    pub namespace: Option<String>,
    /// The objects.
    pub resource: Resource,
    /// A label selector, such as `app=vllm,stage!=test`.
    pub selector: String,
    /// The port; the first that an object lists where unset.
    pub port: Option<KubernetesPort>,
    /// Labels of objects that endpoints take over.
    pub labels: Vec<String>,
    /// How long the server may take to answer.
    pub patience: Duration,
    /// How long it may keep a watch open without a word.
    pub watch: Duration,
}

impl KubernetesSettings {
    /// Objects of `server`, in all namespaces, with the usual times.
    #[must_use]
    pub fn new(server: Target, resource: Resource, selector: impl Into<String>) -> Self {
        Self {
            server,
            token_file: None,
            namespace: None,
            resource,
            selector: selector.into(),
            port: None,
            labels: Vec::new(),
            patience: Duration::from_secs(15),
            watch: Duration::from_secs(240),
        }
    }
}

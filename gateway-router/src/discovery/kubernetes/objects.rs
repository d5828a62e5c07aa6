//! The few fields of pods and endpoint slices that matter. Source: Kubernetes 1.34 API, `v1.Pod` and
//! `discovery.k8s.io/v1.EndpointSlice`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::{KubernetesPort, KubernetesSettings, Resource};
use crate::discovery::Seen;

#[derive(Deserialize)]
pub(super) struct List {
    pub(super) metadata: ListMeta,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) items: Vec<Object>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListMeta {
    #[serde(default)]
    pub(super) resource_version: String,
    #[serde(rename = "continue")]
    pub(super) next: Option<String>,
}

/// A pod or a slice, by what it holds.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Object {
    metadata: Meta,
    #[serde(deserialize_with = "or_default")]
    spec: PodSpec,
    #[serde(deserialize_with = "or_default")]
    status: PodStatus,
    #[serde(deserialize_with = "or_default")]
    endpoints: Vec<SliceEndpoint>,
    #[serde(deserialize_with = "or_default")]
    ports: Vec<SlicePort>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    name: String,
    namespace: String,
    uid: String,
    resource_version: Option<String>,
    deletion_timestamp: Option<String>,
    #[serde(deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    #[serde(deserialize_with = "or_default")]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default, deserialize_with = "or_default")]
    ports: Vec<ContainerPort>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerPort {
    name: Option<String>,
    container_port: u16,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PodStatus {
    #[serde(rename = "podIP")]
    pod_ip: String,
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "or_default")]
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus {
    #[serde(default)]
    restart_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SliceEndpoint {
    #[serde(default, deserialize_with = "or_default")]
    addresses: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    conditions: SliceConditions,
    target_ref: Option<TargetRef>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SliceConditions {
    ready: Option<bool>,
    terminating: Option<bool>,
}

#[derive(Deserialize)]
struct TargetRef {
    #[serde(default)]
    name: String,
    uid: Option<String>,
}

#[derive(Deserialize)]
struct SlicePort {
    name: Option<String>,
    port: Option<u16>,
}

/// Lists that are empty are often written as null.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Object {
    /// What tells it from others of its kind.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.metadata.namespace, self.metadata.name)
    }

    pub(super) fn version(&self) -> Option<String> {
        let version = self.metadata.resource_version.clone();
        version.filter(|version| !version.is_empty())
    }

    /// The engines that it says are ready.
    pub(super) fn seen(&self, settings: &KubernetesSettings) -> Vec<Seen> {
        match settings.resource {
            Resource::Pods => self.pod(settings).into_iter().collect(),
            Resource::EndpointSlices => self.slice(settings),
        }
    }

    fn pod(&self, settings: &KubernetesSettings) -> Option<Seen> {
        let status = &self.status;
        let is_ready =
            |condition: &Condition| condition.kind == "Ready" && condition.status == "True";
        let serves = status.conditions.iter().any(is_ready)
            && self.metadata.deletion_timestamp.is_none()
            && !status.pod_ip.is_empty();
        let restarts: u64 = status
            .container_statuses
            .iter()
            .map(|one| one.restart_count)
            .sum();
        serves.then_some(())?;
        Some(Seen {
            name: self.name(&self.metadata.name, settings),
            host: status.pod_ip.clone(),
            port: self.pod_port(settings.port.as_ref())?,
            labels: self.labels(settings),
            process: Some(format!("{}/{restarts}", self.metadata.uid)),
        })
    }

    fn pod_port(&self, wanted: Option<&KubernetesPort>) -> Option<u16> {
        let mut ports = self.spec.containers.iter().flat_map(|one| &one.ports);
        let found = match wanted {
            Some(KubernetesPort::Number(number)) => return Some(*number),
            Some(KubernetesPort::Named(name)) => {
                ports.find(|port| port.name.as_ref() == Some(name))
            }
            None => ports.next(),
        };
        found.map(|port| port.container_port)
    }

    fn slice(&self, settings: &KubernetesSettings) -> Vec<Seen> {
        let Some(port) = self.slice_port(settings.port.as_ref()) else {
            return Vec::new();
        };
        let serves = |one: &&SliceEndpoint| {
            one.conditions.ready != Some(false) && one.conditions.terminating != Some(true)
        };
        let seen = self.endpoints.iter().filter(serves).filter_map(|one| {
            // All addresses of an entry are the same engine.
            let host = one.addresses.first()?;
            let target = one.target_ref.as_ref();
            let named = target
                .map(|target| &*target.name)
                .filter(|name| !name.is_empty());
            Some(Seen {
                name: self.name(named.unwrap_or(host), settings),
                host: host.clone(),
                port,
                labels: self.labels(settings),
                process: target.and_then(|target| target.uid.clone()),
            })
        });
        seen.collect()
    }

    fn slice_port(&self, wanted: Option<&KubernetesPort>) -> Option<u16> {
        let mut ports = self.ports.iter();
        let found = match wanted {
            Some(KubernetesPort::Number(number)) => return Some(*number),
            Some(KubernetesPort::Named(name)) => {
                ports.find(|port| port.name.as_ref() == Some(name))
            }
            None => ports.next(),
        };
        found.and_then(|port| port.port)
    }

    /// Names of different namespaces may be the same.
    fn name(&self, name: &str, settings: &KubernetesSettings) -> String {
        match settings.namespace {
            Some(_) => name.to_owned(),
            None => format!("{}/{name}", self.metadata.namespace),
        }
    }

    fn labels(&self, settings: &KubernetesSettings) -> BTreeMap<String, String> {
        let wanted = settings.labels.iter();
        let found =
            wanted.filter_map(|key| Some((key.clone(), self.metadata.labels.get(key)?.clone())));
        found.collect()
    }
}

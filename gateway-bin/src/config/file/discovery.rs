//! Sources that endpoints are found at.

use std::{
    collections::BTreeMap,
    num::{NonZeroU16, NonZeroU32},
    path::PathBuf,
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Address, EndpointFile, Engine, HardwareFile, KindName, KvEventsFile, RoleName, Secret, Span,
    TlsFile, TransferFile,
};

/// Where endpoints are found, beside the list `endpoints`. Names of sources begin the names of their endpoints.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoveryFile {
    /// Files with a list of endpoints in the form of `endpoints`; read again within a second of a change.
    pub files: Vec<FileSourceFile>,
    /// Names in DNS.
    pub dns: Vec<DnsSourceFile>,
    /// Objects of a Kubernetes API server.
    pub kubernetes: Vec<KubernetesSourceFile>,
    /// For how long an endpoint that is gone may end what it has begun, at most; 10 minutes where unset.
    pub drain: Option<Span>,
}

/// A file with a list of endpoints.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSourceFile {
    /// The source's name in logs and metrics. Endpoints are named in the file.
    pub name: String,
    /// YAML or JSON. Relative to this file.
    pub path: PathBuf,
}

/// A name in DNS.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsSourceFile {
    /// The source's name.
    pub name: String,
    /// The name to look up; with a dot at its end it is taken as it stands.
    pub host: String,
    /// What to look up.
    #[serde(default)]
    pub records: RecordsName,
    /// The port of all addresses; services bring theirs.
    #[serde(default)]
    pub port: Option<u16>,
    /// The name server; the system's where unset.
    #[serde(default)]
    pub server: Option<Address>,
    /// How long an answer counts at most; 30s where unset.
    #[serde(default)]
    pub every: Option<Span>,
    /// How long an answer counts at least, whatever its TTL; 1s where unset.
    #[serde(default)]
    pub every_at_least: Option<Span>,
    /// For how long an endpoint may be missing from answers that name others; 15s where unset.
    #[serde(default)]
    pub hold: Option<Span>,
    /// For how long answers may name nobody before that is believed; 5m where unset.
    #[serde(default)]
    pub hold_empty: Option<Span>,
    /// What all its endpoints have in common.
    #[serde(default)]
    pub endpoint: TemplateFile,
}

/// What a name is looked up for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordsName {
    /// Addresses: A and AAAA records.
    #[default]
    Addresses,
    /// Services: SRV records, with the addresses of their hosts.
    Services,
}

/// Pods, or the addresses behind services, by label.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubernetesSourceFile {
    /// The source's name.
    pub name: String,
    /// The API server; the one of the cluster that the gateway runs in where unset, with the token and the authorities
    /// that pods find there.
    #[serde(default)]
    pub server: Option<Engine>,
    /// A file with the certificates of the server's authorities, in PEM.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// A file with the token to show to the server.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// The namespace; all where unset.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The objects.
    #[serde(default)]
    pub resource: ResourceName,
    /// A label selector, such as `app=vllm`.
    pub selector: String,
    /// The port, by number or by name; the first one listed where unset.
    #[serde(default)]
    pub port: Option<PortFile>,
    /// Labels of the objects that endpoints take over.
    #[serde(default)]
    pub labels: Vec<String>,
    /// What all its endpoints have in common.
    #[serde(default)]
    pub endpoint: TemplateFile,
}

/// The objects that endpoints are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceName {
    /// Pods that are ready.
    #[default]
    Pods,
    /// The ready addresses of endpoint slices.
    EndpointSlices,
}

/// A port.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PortFile {
    /// By number.
    Number(u16),
    /// By name.
    Name(String),
}

/// What the endpoints of a source have in common: the keys of an endpoint, but for its name and address.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TemplateFile {
    /// Whether TLS is spoken.
    pub https: bool,
    /// A path that all routes begin with.
    pub path: String,
    /// The port where its health, load and models are asked for, where that is another one, as it is of `MindIE`.
    pub management_port: Option<NonZeroU16>,
    /// A path that all routes begin with there.
    pub management_path: String,
    /// What is asked of its certificate.
    pub tls: Option<TlsFile>,
    /// What it is; asked where unset.
    pub kind: Option<KindName>,
    /// Models it serves, by the names it knows; asked where unset.
    pub models: Option<Vec<String>>,
    /// LoRA adapters it has from the start; asked where unset.
    pub adapters: Vec<String>,
    /// Its part of the work.
    pub role: RoleName,
    /// Free labels; what the source says comes on top.
    pub labels: BTreeMap<String, String>,
    /// The longest prompt plus output it takes, in tokens; no limit where unset.
    pub context_tokens: Option<u32>,
    /// The prompt lengths it is meant for, in tokens: least and most.
    pub prompt_range: Option<[u32; 2]>,
    /// A fixed share of traffic relative to others; 1 where unset.
    pub weight: Option<f32>,
    /// What it runs on.
    pub hardware: Option<HardwareFile>,
    /// What it wants as `Authorization: Bearer`.
    pub credential: Option<Secret>,
    /// Where its KV events come from.
    pub kv_events: KvEventsFile,
    /// How it hands KV caches over to, or takes them over from, others.
    pub transfer: Option<TransferFile>,
    /// Data-parallel ranks, each an endpoint of its own.
    pub data_parallel_ranks: Option<NonZeroU32>,
}

impl TemplateFile {
    /// The endpoint that it makes of a name and addresses.
    pub(crate) fn endpoint(
        self,
        name: String,
        url: Engine,
        management: Option<Engine>,
    ) -> EndpointFile {
        EndpointFile {
            name,
            url,
            management,
            tls: self.tls,
            kind: self.kind,
            models: self.models,
            adapters: self.adapters,
            role: self.role,
            labels: self.labels,
            context_tokens: self.context_tokens,
            prompt_range: self.prompt_range,
            weight: self.weight,
            hardware: self.hardware,
            credential: self.credential,
            kv_events: self.kv_events,
            transfer: self.transfer,
            data_parallel_ranks: self.data_parallel_ranks,
        }
    }
}

/// A LoRA adapter that is loaded on demand.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdapterFile {
    /// The name clients ask for.
    pub name: String,
    /// The model that it adapts.
    pub model: String,
    /// Where engines find it: a path on their side, or a name in a model hub.
    pub path: String,
}

/// A list of endpoints, as a file of a source holds it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointsFile {
    /// The engines.
    pub endpoints: Vec<EndpointFile>,
}

/// Who may change the list of endpoints while the gateway runs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdminFile {
    /// Keys for `/admin/`; it is switched off where there are none.
    pub keys: Vec<AdminKeyFile>,
}

/// A key for `/admin/`, stored as a hash. `gateway hash-key` makes one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdminKeyFile {
    /// The name shown in logs; each key has its own.
    pub name: String,
    /// SHA-256 of the key.
    pub hash: super::Hash,
    /// The time from which on the key is refused; never where unset.
    #[serde(default)]
    pub expires: Option<super::Expiry>,
}

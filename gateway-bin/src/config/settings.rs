//! What the binary is told, in domain types.

use std::{
    collections::BTreeMap, fmt, net::SocketAddr, num::NonZeroU16, path::PathBuf, sync::Arc,
    time::Duration,
};

use gateway_govern::{keys::KeyRing, records};
use gateway_proto::{openai::ViewLimits, text::model::TextModel};
#[cfg(feature = "kubernetes")]
use gateway_router::discovery::KubernetesSettings;
use gateway_router::{
    EndpointSettings, RouterSettings,
    discovery::{DnsSettings, Seen},
    feed::{FeedAddress, KvEvents},
};

use super::{
    ModelStamp,
    file::{DialectName, MediaName},
};

/// A whole configuration, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients are served.
    pub listen: SocketAddr,
    /// Where `/metrics` is served, where not beside the clients.
    pub metrics_listen: Option<SocketAddr>,
    /// Threads that serve clients.
    pub threads: usize,
    /// Who may come in.
    pub keys: Arc<KeyRing>,
    /// The engines, some still to be asked what they are.
    pub endpoints: Vec<EndpointConfig>,
    /// Where more engines are found.
    pub discovery: DiscoveryConfig,
    /// Who may change the list of endpoints while the gateway runs.
    pub admin: Arc<KeyRing>,
    /// Models that have their own entry, by the name clients ask for.
    pub models: BTreeMap<String, ServedModel>,
    /// What the router is told, but for the endpoints.
    pub router: RouterSettings,
    /// Sizes and times at the front door.
    pub limits: ServeLimits,
    /// What is kept of the Responses API.
    pub responses: ResponsesConfig,
    /// Where what was learned is kept.
    pub state_file: Option<PathBuf>,
    /// How the gateway stops.
    pub drain: DrainConfig,
    /// What is logged.
    pub log: LogConfig,
}

/// How a model is served.
#[derive(Clone, Debug, Default)]
pub struct ServedModel {
    /// Its template, tokenizer and parser, where it is served by tokens.
    pub tokens: Option<Arc<TextModel>>,
    /// APIs that its engines speak themselves.
    pub pass_through: Vec<DialectName>,
    /// What happens to images, audio and files where it is served by tokens.
    pub media: MediaName,
    /// What `tokens` was made of, so that a reload knows it again.
    pub stamp: Option<ModelStamp>,
}

/// An endpoint and what is to be found out about it.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// What is known.
    pub settings: EndpointSettings,
    /// What is not.
    pub discovery: Discovery,
}

impl EndpointConfig {
    /// Where this gateway listens for its KV events, where engines connect to the gateway: address and topic of each rank.
    /// Endpoints that are heard at one address are told apart by their topics.
    #[must_use]
    pub fn heard_at(&self) -> Vec<(FeedAddress, String)> {
        let KvEvents::At(spec) = &self.settings.kv_events else {
            return Vec::new();
        };
        let only = self.settings.target.rank();
        let is_heard = |rank: &u32| spec.bind && only.is_none_or(|only| only == *rank);
        let place = |rank| Some((spec.address.of_rank(rank)?, spec.topic.clone()));
        (0..spec.ranks).filter(is_heard).filter_map(place).collect()
    }
}

/// Where engines are found beside the configuration.
#[derive(Clone, Debug)]
pub struct DiscoveryConfig {
    /// The sources.
    pub sources: Vec<SourceConfig>,
    /// How long an endpoint that is gone may end what it has begun.
    pub drain: Duration,
}

/// A source of endpoints.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// Its name, with which those of its endpoints begin.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// What is made of what it sees; a file lists whole endpoints.
    pub template: Option<Template>,
}

/// A kind of source and what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A file with a list.
    File(PathBuf),
    /// A name in DNS.
    Dns(DnsSettings),
    /// Objects of an API server.
    #[cfg(feature = "kubernetes")]
    Kubernetes(KubernetesSettings),
}

impl SourceKind {
    /// The name used in metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Dns(_) => "dns",
            #[cfg(feature = "kubernetes")]
            Self::Kubernetes(_) => "kubernetes",
        }
    }
}

/// What the endpoints of a source have in common.
#[derive(Clone, Debug)]
pub struct Template {
    /// One endpoint, or one for each data-parallel rank, at an address that is none.
    pub endpoints: Vec<EndpointConfig>,
    /// The port of their management addresses, where these are others.
    pub management_port: Option<NonZeroU16>,
}

impl Template {
    /// The endpoints of a place that `source` sees; none where it makes no address.
    #[must_use]
    pub fn fill(&self, source: &str, seen: &Seen) -> Vec<EndpointConfig> {
        let authority = seen.authority();
        let fill = |one: &EndpointConfig| {
            let mut filled = one.clone();
            let EndpointSettings { spec, target, .. } = &mut filled.settings;
            let management = target.management().zip(self.management_port);
            let management =
                management.map(|(management, port)| management.at(&seen.authority_at(port.get())));
            *target = target.at(&authority).ok()?;
            if let Some(management) = management {
                *target = target.with_management(management.ok()?);
            }
            if let Some(process) = &seen.process {
                *target = target.with_process(process);
            }
            spec.name = match target.rank() {
                Some(rank) => format!("{source}/{}/{rank}", seen.name),
                None => format!("{source}/{}", seen.name),
            };
            spec.labels.extend(seen.labels.clone());
            Some(filled)
        };
        self.endpoints.iter().filter_map(fill).collect()
    }
}

/// What an engine is to be asked about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Which engine it is.
    pub kind: bool,
    /// Which models it serves.
    pub models: bool,
}

impl Discovery {
    /// Whether there is anything to ask.
    #[must_use]
    pub fn is_needed(self) -> bool {
        self.kind || self.models
    }
}

/// Sizes and times at the front door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// The largest request body, in bytes.
    pub request_bytes: usize,
    /// The most headers of a request.
    pub headers: usize,
    /// The most bytes of a request's head.
    pub header_bytes: usize,
    /// How long a request's head may take to arrive, the wait on an idle connection included.
    pub header_timeout: Duration,
    /// How long a request's body may take to arrive.
    pub body_timeout: Duration,
    /// How long a client may take nothing of a reply.
    pub write_timeout: Duration,
    /// The most open connections.
    pub connections: usize,
    /// What a request's JSON may hold.
    pub view: ViewLimits,
}

/// What is kept of the Responses API, and what runs in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponsesConfig {
    /// Where it is kept.
    pub store: StoreConfig,
    /// How much, and for how long.
    pub limits: records::Limits,
    /// The most responses that are made in the background at a time.
    pub background: usize,
}

/// Where responses and conversations are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreConfig {
    /// In memory.
    Memory,
    /// In a SQLite file.
    Sqlite(PathBuf),
    /// In a PostgreSQL database.
    Postgres(DatabaseUrl),
}

/// A database's address, which may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(pub String);

impl fmt::Debug for DatabaseUrl {
    /// Without the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseUrl")
    }
}

/// How the gateway stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainConfig {
    /// From failing readiness to accepting no more connections.
    pub delay: Duration,
    /// From then to cutting what is still in flight.
    pub deadline: Duration,
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// How.
    pub format: LogFormat,
    /// A level, or `tracing` directives such as `info,gateway_router=debug`.
    pub level: String,
}

/// How a log line looks.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

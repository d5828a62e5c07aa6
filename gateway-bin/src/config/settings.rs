//! What the binary is told, in domain types.

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use gateway_govern::{keys::KeyRing, records};
use gateway_proto::{openai::ViewLimits, text::model::TextModel};
use gateway_router::{EndpointSettings, RouterSettings};

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

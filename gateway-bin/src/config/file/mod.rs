//! The shape of the file: one type per section, every key with its meaning. The schema is made from these.

mod admission;
mod discovery;
mod endpoints;
mod feeds;
mod goals;
mod hardware;
mod hedge;
mod keys;
mod limits;
mod models;
mod pairs;
mod pipelines;
mod responses;
mod tls;
mod top;
mod values;
mod watching;

pub use admission::{AdmissionFile, ClassFile};
pub use discovery::{
    AdapterFile, AdminFile, AdminKeyFile, DiscoveryFile, DnsSourceFile, EndpointsFile,
    FileSourceFile, KubernetesSourceFile, PortFile, RecordsName, ResourceName, TemplateFile,
};
pub use endpoints::{EndpointFile, KindName, RoleName};
pub use feeds::{Feed, FeedFile, FeedsFile, KvEventsFile};
pub use goals::{ObjectivesFile, StateFile};
pub use hardware::{ChipName, CostsFile, HardwareFile};
pub use hedge::{HedgeFile, SilenceFile};
pub use keys::KeyFile;
pub use limits::{DrainFile, LimitsFile, LogFile, MetricsFile, TextFile};
pub use models::{DefaultsFile, DialectName, MediaName, ModelFile, ReasoningFile, TokensFile};
pub use pairs::{ConnectorName, FallbackName, PairsFile, TransferFile};
pub use pipelines::{PipelineFile, PluginFile, SplitFile, StageFile};
pub use responses::{ResponsesFile, StoreName};
pub use tls::TlsFile;
pub use top::{ConfigFile, schema};
pub use values::{Address, Engine, Expiry, Hash, Pause, Secret, Span};
pub use watching::{
    DeadlinesFile, HealthFile, MigrationFile, PrefixFile, RetryFile, TelemetryFile, WatchFile,
};

//! Configuration: one YAML file, read once into what the parts are told.
//!
//! Three steps, each in its own module: `yaml` reads text into a tree in which everything knows its line; `file` gives
//! that tree its shape (and the schema); `lower` checks what goes across fields and makes domain types. An error of any
//! step names file, line, column and path.

mod environment;
mod error;
pub mod file;
mod lower;
mod settings;
mod stamp;
#[cfg(test)]
mod tests;
pub(crate) mod yaml;
pub use stamp::ModelStamp;

pub use environment::Environment;
pub use error::{ConfigError, Place, Problem};
pub(crate) use lower::PRIORITIES;
pub use lower::{Decisions, read, read_again, read_decisions, read_endpoints};
pub use settings::{
    Config, DatabaseUrl, Discovery, DiscoveryConfig, DrainConfig, EndpointConfig, LogConfig,
    LogFormat, ResponsesConfig, ServeLimits, ServedModel, SourceConfig, SourceKind, StoreConfig,
    Template,
};

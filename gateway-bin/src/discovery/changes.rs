//! What operators change while the gateway runs.

use crate::config::EndpointConfig;

/// A change of the list.
#[derive(Debug)]
pub(crate) enum Change {
    /// These endpoints, all of one entry.
    Add(Vec<EndpointConfig>),
    /// No new requests for this one, until it is resumed.
    Drain(String),
    /// New requests again.
    Resume(String),
    /// One that was added goes, as soon as it has ended what it has begun.
    Remove(String),
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    /// The name is taken.
    #[error("An endpoint `{0}` is listed already.")]
    Taken(String),
    /// The engine is listed under this name.
    #[error("That engine is listed already, as endpoint `{0}`.")]
    SameEngine(String),
    /// Its KV events would be taken for this one's.
    #[error("Endpoint `{0}` is heard at the same address; give each a topic of its own.")]
    SameFeed(String),
    /// There is no such endpoint.
    #[error("There is no endpoint `{0}`.")]
    Unknown(String),
    /// Others list it.
    #[error(
        "Endpoint `{0}` is not one that was added here: drain it, or take it out where it is listed."
    )]
    NotAdded(String),
    /// There are too many.
    #[error("No more than {0} endpoints can be added.")]
    TooMany(usize),
    /// The router does not take the list.
    #[error("The list cannot be used: {0}")]
    Build(#[from] gateway_router::BuildError),
    /// The process is ending.
    #[error("The gateway is stopping.")]
    Stopping,
}

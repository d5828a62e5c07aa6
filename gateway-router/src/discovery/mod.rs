//! Finding endpoints: sources that are asked or watched, each turned into a changing list.
//!
//! A source runs as a task of its own and writes what it sees into a [`Reporter`]; whoever holds the other end makes
//! endpoints of it and hands them, with those of other sources, to [`Router::apply`](crate::Router::apply). Only the
//! newest list counts, so nothing is queued. A source that fails keeps the last list that it saw.

#[cfg(feature = "dns")]
mod dns;
#[cfg(feature = "kubernetes")]
mod kubernetes;
#[cfg(feature = "dns")]
mod linger;
#[cfg(any(feature = "dns", feature = "kubernetes"))]
mod pause;
mod report;
mod seen;

#[cfg(feature = "dns")]
pub use dns::{Dns, DnsError, DnsRecords, DnsSettings};
#[cfg(feature = "kubernetes")]
pub use kubernetes::{Kubernetes, KubernetesError, KubernetesPort, KubernetesSettings, Resource};
pub use report::{Reporter, SEEN_AT_MOST, Sightings};
pub use seen::Seen;

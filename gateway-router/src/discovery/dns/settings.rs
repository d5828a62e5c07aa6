//! What is asked of DNS, and how often.

use std::{net::SocketAddr, time::Duration};

/// What a name is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsRecords {
    /// Addresses, IPv4 and IPv6, all at one port.
    Addresses {
        /// The port.
        port: u16,
    },
    /// Services: hosts with a port each, and their addresses.
    Services,
}

/// A name that stands for endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsSettings {
    /// The name; without a dot at its end the system's search domains apply.
    pub name: String,
    /// What it is asked for.
    pub records: DnsRecords,
    /// The server to ask; the system's where unset.
    pub server: Option<SocketAddr>,
    /// How long an answer counts at most.
    pub every: Duration,
    /// How long it counts at least, whatever its TTL says; also the first pause after a failure.
    pub every_at_least: Duration,
    /// How long an endpoint may be missing from answers that name others.
    pub hold: Duration,
    /// How long answers may name nobody before that is believed.
    pub hold_empty: Duration,
    /// How long a server may take to answer.
    pub patience: Duration,
}

impl DnsSettings {
    /// A name with the usual times.
    #[must_use]
    pub fn new(name: impl Into<String>, records: DnsRecords) -> Self {
        Self {
            name: name.into(),
            records,
            server: None,
            every: Duration::from_secs(30),
            every_at_least: Duration::from_secs(1),
            hold: Duration::from_secs(15),
            hold_empty: Duration::from_secs(300),
            patience: Duration::from_secs(5),
        }
    }
}

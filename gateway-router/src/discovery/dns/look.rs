//! One look: the questions, and endpoints of the answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::{
        ProtoError,
        rr::{Name, RData, RecordType, rdata::SRV},
    },
};

use super::{
    super::{SEEN_AT_MOST, Seen},
    DnsRecords, DnsSettings,
};

/// Hosts of services that are asked for at once.
const AT_ONCE: usize = 8;

/// Why a name cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// It is no name.
    #[error("{0:?} is no name that DNS knows: {1}")]
    Name(String, ProtoError),
    /// The system's resolver, or the servers.
    #[error(transparent)]
    Net(#[from] NetError),
}

/// A good answer.
pub(super) struct Answer {
    pub(super) seen: Vec<Seen>,
    /// The least time to live of what it is made of; zero where it is empty.
    pub(super) holds_for: Duration,
}

/// Asks for one name.
pub(super) struct Looker {
    resolver: TokioResolver,
    name: Name,
    records: DnsRecords,
}

impl Looker {
    pub(super) fn new(settings: &DnsSettings) -> Result<Self, DnsError> {
        let name = Name::from_utf8(&settings.name)
            .map_err(|error| DnsError::Name(settings.name.clone(), error))?;
        let mut builder = match settings.server {
            Some(server) => {
                TokioResolver::builder_with_config(only(server), TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        // The pauses between looks already follow the answers' times.
        options.cache_size = 0;
        options.timeout = settings.patience;
        options.edns0 = true;
        if settings.server.is_some() {
            options.use_hosts_file = ResolveHosts::Never;
        }
        Ok(Self {
            resolver: builder.build()?,
            name,
            records: settings.records,
        })
    }

    pub(super) async fn look(&self) -> Result<Answer, DnsError> {
        match self.records {
            DnsRecords::Addresses { port } => {
                let found = self.addresses(&self.name).await?;
                let seen = found.addresses.iter().map(|ip| at(*ip, port)).collect();
                Ok(Answer {
                    seen,
                    holds_for: seconds(found.ttl),
                })
            }
            DnsRecords::Services => self.services().await,
        }
    }

    /// The addresses of `name`, none where it has none.
    async fn addresses(&self, name: &Name) -> Result<Addresses, DnsError> {
        let ask = |kind| self.resolver.lookup(name.clone(), kind);
        let (four, six) = futures_util::join!(ask(RecordType::A), ask(RecordType::AAAA));
        let mut found = Addresses::default();
        let mut failure = None;
        for answer in [four, six] {
            match answer {
                Ok(lookup) => {
                    for record in lookup.answers() {
                        found.add(&record.data, record.ttl);
                    }
                }
                Err(error) if error.is_no_records_found() => {}
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            // One family is enough; what is missing of the other lingers.
            Some(error) if found.addresses.is_empty() => Err(error.into()),
            _ => Ok(found),
        }
    }

    async fn services(&self) -> Result<Answer, DnsError> {
        let lookup = match self
            .resolver
            .lookup(self.name.clone(), RecordType::SRV)
            .await
        {
            Ok(lookup) => lookup,
            Err(error) if error.is_no_records_found() => {
                return Ok(Answer {
                    seen: Vec::new(),
                    holds_for: Duration::ZERO,
                });
            }
            Err(error) => return Err(error.into()),
        };
        let mut ttl = u32::MAX;
        let mut services = Vec::new();
        for record in lookup.answers() {
            if let RData::SRV(service) = &record.data
                && !service.target.is_root()
            {
                ttl = ttl.min(record.ttl);
                services.push(service.clone());
            }
        }
        services.truncate(SEEN_AT_MOST);
        let hosts = self.hosts(&services).await?;
        let mut seen = Vec::new();
        for service in &services {
            let Some(found) = hosts.get(&service.target) else {
                continue;
            };
            ttl = ttl.min(found.ttl);
            seen.extend(of_service(service, found));
        }
        let holds_for = if seen.is_empty() { 0 } else { ttl };
        Ok(Answer {
            seen,
            holds_for: seconds(holds_for),
        })
    }

    /// The addresses of all hosts of `services`. An answer of which one host is unknown for now is none, so that nobody
    /// is taken for gone.
    async fn hosts(&self, services: &[SRV]) -> Result<BTreeMap<Name, Addresses>, DnsError> {
        let hosts = services.iter().map(|service| service.target.clone());
        let names: BTreeSet<Name> = hosts.collect();
        let asked = names.into_iter().map(|name| async move {
            let found = self.addresses(&name).await?;
            Ok((name, found))
        });
        let answers: Vec<_> = stream::iter(asked)
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        answers.into_iter().collect()
    }
}

/// The addresses of one name.
struct Addresses {
    addresses: BTreeSet<IpAddr>,
    ttl: u32,
}

impl Default for Addresses {
    fn default() -> Self {
        Self {
            addresses: BTreeSet::new(),
            ttl: u32::MAX,
        }
    }
}

impl Addresses {
    fn add(&mut self, data: &RData, ttl: u32) {
        let address = match data {
            RData::A(address) => IpAddr::V4(address.0),
            RData::AAAA(address) => IpAddr::V6(address.0),
            // A name on the way counts for its time alone.
            _ => {
                self.ttl = self.ttl.min(ttl);
                return;
            }
        };
        self.ttl = self.ttl.min(ttl);
        self.addresses.insert(address);
    }
}

fn seconds(ttl: u32) -> Duration {
    Duration::from_secs(u64::from(ttl))
}

fn at(ip: IpAddr, port: u16) -> Seen {
    Seen {
        name: SocketAddr::new(ip, port).to_string(),
        host: ip.to_string(),
        port,
        labels: BTreeMap::new(),
        process: None,
    }
}

/// A host with one address is known by its name, and so is the same when it comes back elsewhere.
fn of_service(service: &SRV, found: &Addresses) -> Vec<Seen> {
    let host = service.target.to_utf8();
    let host = host.trim_end_matches('.');
    let labels = BTreeMap::from([
        ("srv-priority".to_owned(), service.priority.to_string()),
        ("srv-weight".to_owned(), service.weight.to_string()),
    ]);
    let one = |ip: &IpAddr| {
        let mut seen = at(*ip, service.port);
        if found.addresses.len() == 1 {
            seen.name = format!("{host}:{}", service.port);
        }
        seen.labels.clone_from(&labels);
        seen
    };
    found.addresses.iter().map(one).collect()
}

fn only(server: SocketAddr) -> ResolverConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
    }
    let server = NameServerConfig::new(server.ip(), true, connections);
    ResolverConfig::from_parts(None, Vec::new(), vec![server])
}

//! One look: the questions, and endpoints of the answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
    proto::{
        ProtoError,
        rr::{Name, RData, RecordType, rdata::SRV},
    },
};

use tokio::time::timeout;

use super::{
    super::{SEEN_AT_MOST, Seen},
    DnsRecords, DnsSettings,
    addresses::{Found, Last},
    names::Names,
};

/// Hosts of services that are asked for at once.
const AT_ONCE: usize = 8;

/// How many times a server's patience a look with all its questions may take.
const LOOK_PATIENCE: u32 = 4;

/// Why a name cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// It is no name.
    #[error("{0:?} is no name that DNS knows: {1}")]
    Name(String, ProtoError),
    /// The system's resolver, or the servers.
    #[error(transparent)]
    Net(#[from] NetError),
    /// Servers answer, but not all questions in time.
    #[error("no whole answer within {0:?}")]
    Overdue(Duration),
}

/// A good answer.
pub(super) struct Answer {
    pub(super) seen: Vec<Seen>,
    /// The least time to live of what it is made of; zero where it is empty.
    pub(super) holds_for: Duration,
    /// Whether a part of it is the last answer's, as servers failed on that.
    pub(super) is_partial: bool,
}

/// Asks for one name.
pub(super) struct Looker {
    resolver: TokioResolver,
    name: Name,
    records: DnsRecords,
    /// How long a look may take in all.
    patience: Duration,
    last: Last,
    names: Names,
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
            patience: settings.patience.saturating_mul(LOOK_PATIENCE),
            last: Last::default(),
            names: Names::default(),
        })
    }

    pub(super) async fn look(&mut self) -> Result<Answer, DnsError> {
        let patience = self.patience;
        let looked = match self.records {
            DnsRecords::Addresses { port } => timeout(patience, self.plain(port)).await,
            DnsRecords::Services => timeout(patience, self.services()).await,
        };
        looked.unwrap_or(Err(DnsError::Overdue(patience)))
    }

    async fn plain(&mut self, port: u16) -> Result<Answer, DnsError> {
        let found = self.found(&self.name).await?;
        let is_partial = !found.is_whole();
        let mut all = self.last.complete([(self.name.clone(), found)].into());
        let found = all.remove(&self.name).unwrap_or_default();
        let seen: Vec<_> = found.all().map(|ip| at(ip, port)).collect();
        Ok(Answer {
            holds_for: holds_for(&seen, found.ttl),
            seen,
            is_partial,
        })
    }

    /// What `name` stands for now.
    async fn found(&self, name: &Name) -> Result<Found, NetError> {
        let ask = |kind| self.resolver.lookup(name.clone(), kind);
        let (four, six) = futures_util::join!(ask(RecordType::A), ask(RecordType::AAAA));
        Found::of([four, six])
    }

    async fn services(&mut self) -> Result<Answer, DnsError> {
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
                    is_partial: false,
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
        let is_partial = hosts.values().any(|found| !found.is_whole());
        let hosts = self.last.complete(hosts);
        let found = services
            .iter()
            .filter_map(|service| Some((service, hosts.get(&service.target)?)));
        let mut places = BTreeMap::new();
        for (service, found) in found {
            ttl = ttl.min(found.ttl);
            let host = service.target.to_utf8();
            let host = host.trim_end_matches('.');
            for ip in found.of_one_family() {
                places.insert((host.to_owned(), service.port, ip), service);
            }
        }
        let names = self.names.of(&places.keys().cloned().collect());
        let seen = places
            .into_iter()
            .map(|(place, service)| of_service(service, place.2, &names[&place]));
        let seen: Vec<_> = seen.collect();
        Ok(Answer {
            holds_for: holds_for(&seen, ttl),
            seen,
            is_partial,
        })
    }

    /// The addresses of all hosts of `services`. An answer of which one host is unknown for now is none, so that nobody
    /// is taken for gone.
    async fn hosts(&self, services: &[SRV]) -> Result<BTreeMap<Name, Found>, DnsError> {
        let hosts = services.iter().map(|service| service.target.clone());
        let names: BTreeSet<Name> = hosts.collect();
        let asked = names.into_iter().map(|name| async move {
            let found = self.found(&name).await?;
            Ok((name, found))
        });
        stream::iter(asked)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }
}

/// An answer that names nobody holds for no time.
fn holds_for(seen: &[Seen], ttl: u32) -> Duration {
    let seconds = if seen.is_empty() { 0 } else { ttl };
    Duration::from_secs(u64::from(seconds))
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

fn of_service(service: &SRV, ip: IpAddr, name: &str) -> Seen {
    let labels = BTreeMap::from([
        ("srv-priority".to_owned(), service.priority.to_string()),
        ("srv-weight".to_owned(), service.weight.to_string()),
    ]);
    Seen {
        name: name.to_owned(),
        labels,
        ..at(ip, service.port)
    }
}

fn only(server: SocketAddr) -> ResolverConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = server.port();
    }
    let server = NameServerConfig::new(server.ip(), true, connections);
    ResolverConfig::from_parts(None, Vec::new(), vec![server])
}

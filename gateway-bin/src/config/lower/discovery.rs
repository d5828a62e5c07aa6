//! Sources of endpoints: what to ask, and what to make of the answers.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use gateway_govern::keys::{KeyEntry, KeyRing, RingError};
use gateway_router::{
    Target,
    discovery::{DnsRecords, DnsSettings},
};
#[cfg(feature = "kubernetes")]
use gateway_router::{
    Tls, TlsSettings,
    discovery::{KubernetesPort, KubernetesSettings, Resource},
};

#[cfg(feature = "kubernetes")]
use super::files;
use super::{cx::Cx, template};
use crate::config::{
    ConfigError, DiscoveryConfig, SourceConfig, SourceKind,
    file::{AdminFile, DiscoveryFile, DnsSourceFile, KubernetesSourceFile, RecordsName},
    yaml::Path,
};

/// How long endpoints that are gone may go on.
const DRAIN: Duration = Duration::from_secs(600);
/// Where pods find what they need to ask their own API server.
#[cfg(feature = "kubernetes")]
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn lower(file: DiscoveryFile, cx: &Cx<'_>) -> Result<DiscoveryConfig, ConfigError> {
    let at = Path::default().key("discovery");
    let mut sources = Vec::new();
    for (index, source) in file.files.into_iter().enumerate() {
        let kind = SourceKind::File(beside(&source.path, cx));
        sources.push((at.key("files").index(index), source.name, kind, None));
    }
    for (index, source) in file.dns.into_iter().enumerate() {
        let path = at.key("dns").index(index);
        let kind = SourceKind::Dns(dns(&source, &path, cx)?);
        let template = template::lower(source.endpoint, &path, cx)?;
        sources.push((path, source.name, kind, Some(template)));
    }
    for (index, source) in file.kubernetes.into_iter().enumerate() {
        let path = at.key("kubernetes").index(index);
        let kind = kubernetes(&source, &path, cx)?;
        let template = template::lower(source.endpoint, &path, cx)?;
        sources.push((path, source.name, kind, Some(template)));
    }
    let mut names = BTreeSet::new();
    let mut lowered = Vec::with_capacity(sources.len());
    for (path, name, kind, template) in sources {
        if name.is_empty() || !names.insert(name.clone()) {
            let reason = "give each source a name of its own";
            return Err(cx.invalid(&path.key("name"), reason));
        }
        lowered.push(SourceConfig {
            name,
            kind,
            template,
        });
    }
    Ok(DiscoveryConfig {
        sources: lowered,
        drain: file.drain.map_or(DRAIN, |span| span.0),
    })
}

/// Who may change the list of endpoints.
pub(super) fn admin(file: &AdminFile, cx: &Cx<'_>) -> Result<KeyRing, ConfigError> {
    let entries = file.keys.iter().map(|key| KeyEntry {
        expires_unix: key.expires.map(|end| end.0),
        ..KeyEntry::new(key.name.clone(), key.hash.0)
    });
    KeyRing::new(entries).map_err(|error| {
        let (RingError::DuplicateName(twin) | RingError::DuplicateHash(_, twin)) = &error;
        let last = file.keys.iter().rposition(|key| key.name == *twin);
        let path = Path::default().key("admin").key("keys");
        cx.invalid(&path.index(last.unwrap_or_default()), error)
    })
}

/// Paths are relative to the configuration.
fn beside(path: &PathBuf, cx: &Cx<'_>) -> PathBuf {
    cx.file
        .parent()
        .map_or_else(|| path.clone(), |folder| folder.join(path))
}

fn dns(file: &DnsSourceFile, path: &Path, cx: &Cx<'_>) -> Result<DnsSettings, ConfigError> {
    let records = match (file.records, file.port) {
        (RecordsName::Addresses, Some(port)) => DnsRecords::Addresses { port },
        (RecordsName::Services, None) => DnsRecords::Services,
        (RecordsName::Addresses, None) => {
            return Err(cx.invalid(
                path,
                "addresses need a `port`, or look up `records: services`",
            ));
        }
        (RecordsName::Services, Some(_)) => {
            return Err(cx.invalid(
                &path.key("port"),
                "services bring their ports: leave it out",
            ));
        }
    };
    let usual = DnsSettings::new(file.host.trim(), records);
    if usual.name.is_empty() {
        return Err(cx.invalid(&path.key("host"), "must not be empty"));
    }
    Ok(DnsSettings {
        server: file.server.map(|address| address.0),
        every: file.every.map_or(usual.every, |span| span.0),
        every_at_least: file
            .every_at_least
            .map_or(usual.every_at_least, |span| span.0),
        hold: file.hold.map_or(usual.hold, |span| span.0),
        hold_empty: file.hold_empty.map_or(usual.hold_empty, |span| span.0),
        ..usual
    })
}

#[cfg(not(feature = "kubernetes"))]
fn kubernetes(
    _file: &KubernetesSourceFile,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<SourceKind, ConfigError> {
    Err(cx.invalid(
        path,
        "this gateway was built without the feature `kubernetes`",
    ))
}

#[cfg(feature = "kubernetes")]
fn kubernetes(
    file: &KubernetesSourceFile,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<SourceKind, ConfigError> {
    use crate::config::file::{PortFile, ResourceName};

    let of_pod = |name: &str| PathBuf::from(SERVICE_ACCOUNT).join(name);
    let inside = file.server.is_none();
    let own = |told: &Option<PathBuf>, name| {
        let told = told.as_ref().map(|told| beside(told, cx));
        told.or_else(|| inside.then(|| of_pod(name)))
    };
    let server = file.server.as_ref().map(|server| server.0.clone());
    let server = server
        .unwrap_or_else(|| Target::parse("https://kubernetes.default.svc").expect("an address"));
    let server = match own(&file.authorities, "ca.crt") {
        Some(file) => trusting(&server, &file, path, cx)?,
        None => server,
    };
    let resource = match file.resource {
        ResourceName::Pods => Resource::Pods,
        ResourceName::EndpointSlices => Resource::EndpointSlices,
    };
    let port = file.port.as_ref().map(|port| match port {
        PortFile::Number(number) => KubernetesPort::Number(*number),
        PortFile::Name(name) => KubernetesPort::Named(name.clone()),
    });
    Ok(SourceKind::Kubernetes(KubernetesSettings {
        token_file: own(&file.token_file, "token"),
        namespace: file.namespace.clone(),
        port,
        labels: file.labels.clone(),
        ..KubernetesSettings::new(server, resource, file.selector.clone())
    }))
}

#[cfg(feature = "kubernetes")]
fn trusting(
    server: &Target,
    file: &std::path::Path,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<Target, ConfigError> {
    let path = path.key("authorities");
    let read = files::read_pem(file);
    let pem = read.map_err(|error| cx.invalid(&path, format!("{}: {error}", file.display())))?;
    let settings = TlsSettings {
        authorities: Some(pem),
        ..TlsSettings::default()
    };
    let tls = Tls::new(settings).map_err(|error| cx.invalid(&path, error))?;
    server
        .with_tls(tls)
        .map_err(|error| cx.invalid(&path, error))
}

//! TLS to engines: whom to trust, and whom to be.

use std::{
    fmt,
    hash::{Hash, Hasher},
    io,
    sync::{Arc, LazyLock},
};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
        client::WantsClientCert,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

use super::distrust::{self, NoQuestions};

/// What is asked of certificates at an `https://` address, and what is shown there. PEM throughout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TlsSettings {
    /// Certificates of the authorities to trust, in place of the system's.
    pub authorities: Option<Vec<u8>>,
    /// Whether any certificate will do. Whoever stands between then reads and changes everything.
    pub insecure: bool,
    /// The name that the certificate must be for; the host of the address where unset.
    pub server_name: Option<String>,
    /// What to show to engines that want to know who asks.
    pub identity: Option<TlsIdentity>,
}

/// A certificate with its key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TlsIdentity {
    /// The certificate, and those between it and its authority.
    pub certificates: Vec<u8>,
    /// Its private key: PKCS#8, SEC1 or PKCS#1. Never shown.
    pub key: Vec<u8>,
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsIdentity(..)")
    }
}

/// Why settings make no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// No certificate of an authority.
    #[error("there is no certificate in the file of authorities; it must be PEM")]
    Authorities,
    /// Not a name or an address.
    #[error("{0:?} is no name that a certificate can be for")]
    ServerName(String),
    /// A certificate to show, without one in it.
    #[error("there is no certificate to show; it must be PEM")]
    Certificates,
    /// A key that is none.
    #[error("there is no private key in the key file; it must be PEM, without a password")]
    Key,
    /// A key that is not the certificate's, or of a kind that cannot be used.
    #[error("the certificate and the key do not go together: {0}")]
    Identity(String),
}

/// TLS as it is to be spoken at an address; cheap to clone. Equal where its settings are.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    settings: TlsSettings,
    server_name: Option<ServerName<'static>>,
    config: Arc<ClientConfig>,
}

impl Tls {
    /// Reads `settings`. Where no authorities are named, those of the system are read once, with the first connection to
    /// ask for them or here; `SSL_CERT_FILE` and `SSL_CERT_DIR` count as they do for OpenSSL.
    ///
    /// # Errors
    /// Where a part cannot be read.
    pub fn new(settings: TlsSettings) -> Result<Self, TlsError> {
        let named = settings.server_name.clone();
        let server_name = named.map(|name| {
            let read = ServerName::try_from(name.clone());
            read.map_err(|_| TlsError::ServerName(name))
        });
        let server_name = server_name.transpose()?;
        let trusting = trusting(&settings)?;
        let mut config = match &settings.identity {
            Some(identity) => showing(trusting, identity)?,
            None => trusting.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(Inner {
            settings,
            server_name,
            config: Arc::new(config),
        })))
    }

    /// What an address gets that says nothing of it: the system's authorities, and nothing to show.
    fn of_system() -> &'static Self {
        static SYSTEM: LazyLock<Tls> = LazyLock::new(|| {
            Tls::new(TlsSettings::default()).expect("nothing of it has to be read from settings")
        });
        &SYSTEM
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.0.settings == other.0.settings
    }
}

impl Eq for Tls {}

impl Hash for Tls {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.settings.hash(state);
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.settings, f)
    }
}

/// Begins TLS on an open socket; `tls` is the system's where it is `None`.
pub(super) async fn begin(
    tls: Option<&Tls>,
    host: &str,
    socket: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let tls = tls.unwrap_or_else(|| Tls::of_system());
    let name = match &tls.0.server_name {
        Some(name) => name.clone(),
        None => ServerName::try_from(host.to_owned()).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidInput, "no name for a certificate")
        })?,
    };
    let connector = TlsConnector::from(Arc::clone(&tls.0.config));
    connector.connect(name, socket).await
}

type Trusting = ConfigBuilder<ClientConfig, WantsClientCert>;

fn trusting(settings: &TlsSettings) -> Result<Trusting, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = versions(&provider);
    if settings.insecure {
        let verifier = Arc::new(NoQuestions::new(&provider));
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier));
    }
    let roots = match &settings.authorities {
        Some(pem) => named(pem)?,
        None => of_system(),
    };
    Ok(builder.with_root_certificates(roots))
}

fn versions(provider: &Arc<CryptoProvider>) -> ConfigBuilder<ClientConfig, WantsVerifier> {
    ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites of the default versions")
}

fn named(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem).ok_or(TlsError::Authorities)? {
        roots.add(certificate).map_err(|_| TlsError::Authorities)?;
    }
    Ok(roots)
}

/// What cannot be read of the system's store is left out; without any, every certificate is refused and says so.
fn of_system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, left_out) = roots.add_parsable_certificates(found.certs);
    let unread = found.errors.len();
    tracing::debug!(added, left_out, unread, "authorities of the system read");
    roots
}

fn showing(trusting: Trusting, identity: &TlsIdentity) -> Result<ClientConfig, TlsError> {
    let chain = certificates(&identity.certificates).ok_or(TlsError::Certificates)?;
    let key = PrivateKeyDer::from_pem_slice(&identity.key).map_err(|_| TlsError::Key)?;
    let config = trusting.with_client_auth_cert(chain, key);
    config.map_err(|error: rustls::Error| TlsError::Identity(error.to_string()))
}

/// At least one certificate.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.ok().filter(|chain| !chain.is_empty())
}

/// What is wrong with the other side, in words, where that is why `error` came.
pub(crate) fn grievance(error: &io::Error) -> Option<&'static str> {
    let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    Some(distrust::in_words(inner))
}

//! An engine behind TLS that asks who calls, through the binary.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use gateway_bin::Options;
use gateway_sim::engine::RunningEngine;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};

use crate::{
    child::Child,
    rig::{self, CHAT, KEY},
    wire::{self, Reply},
};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new([]).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

/// A certificate of `authority` for `name`, and its key.
fn issue(authority: &Authority, name: &str) -> [String; 2] {
    let params = CertificateParams::new([name.to_owned()]).expect("a name");
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    [certificate.pem(), key.serialize_pem()]
}

/// What the engine's front shows, and whose callers it takes.
fn front(shows: &[String; 2], callers: &Authority) -> ServerConfig {
    let [certificate, key] = shows.each_ref().map(String::as_bytes);
    let mut roots = RootCertStore::empty();
    let caller = CertificateDer::from_pem_slice(callers.pem().as_bytes()).expect("a certificate");
    roots.add(caller).expect("an authority");
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let certificates = vec![CertificateDer::from_pem_slice(certificate).expect("a certificate")];
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.build().expect("an authority"))
        .with_single_cert(
            certificates,
            PrivateKeyDer::from_pem_slice(key).expect("a key"),
        )
        .expect("a pair")
}

/// The port of a front that passes on to `engine` whom it accepts.
async fn behind(config: ServerConfig, engine: SocketAddr) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outer) = acceptor.accept(stream).await else {
                    return;
                };
                let mut inner = TcpStream::connect(engine).await.expect("it listens");
                // However it ends, both sockets close.
                let _ended = copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    port
}

/// An engine of one authority that takes callers of another, and files for a gateway.
struct Site {
    folder: TempDir,
    port: u16,
    _engine: RunningEngine,
}

async fn site() -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    let (engines, callers, strangers) = (
        authority("engines"),
        authority("callers"),
        authority("strangers"),
    );
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    put("engines.pem", &engines.pem());
    put("strangers.pem", &strangers.pem());
    for (who, authority) in [("gateway", &callers), ("stranger", &strangers)] {
        let [certificate, key] = issue(authority, who);
        put(&format!("{who}.pem"), &certificate);
        put(&format!("{who}.key"), &key);
    }
    let mut started = rig::engines(1, 100.0).await;
    let engine = started.remove(0);
    let config = front(&issue(&engines, "localhost"), &callers);
    let port = behind(config, engine.addr()).await;
    Site {
        folder,
        port,
        _engine: engine,
    }
}

impl Site {
    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A configuration that trusts `authority` and shows `identity`.
    fn yaml(&self, scheme: &str, authority: &str, identity: &str) -> String {
        let at = |name: &str| self.path().join(name).display().to_string();
        let tls = format!(
            "tls: {{ca_file: {}, client_cert: {}, client_key: {}}}",
            at(&format!("{authority}.pem")),
            at(&format!("{identity}.pem")),
            at(&format!("{identity}.key"))
        );
        let tls = if scheme == "https" {
            tls
        } else {
            "weight: 1".to_owned()
        };
        let entry = format!(
            "  - {{name: e0, url: \"{scheme}://localhost:{}\", kind: vllm, models: [m], {tls}}}\n",
            self.port
        );
        rig::yaml(
            &[],
            "",
            &format!("{entry}watch: {{probe_every: 100ms}}\nlog: {{format: json}}\n"),
        )
    }
}

async fn chat(address: SocketAddr) -> Reply {
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", &*bearer)];
    wire::exchange(
        address,
        &wire::request("POST", "/v1/chat/completions", &headers, CHAT.as_bytes()),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_of_its_own_authority_that_asks_who_calls_serves() {
    let site = site().await;
    let gateway = rig::start(
        &site.yaml("https", "engines", "gateway"),
        Options::default(),
    )
    .await;
    for _ in 0..3 {
        let reply = chat(gateway.addr()).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_tls_is_in_the_log_and_no_request_gets_through() {
    let site = site().await;
    for (scheme, authority, identity, words) in [
        (
            "https",
            "strangers",
            "gateway",
            "authority that is not trusted",
        ),
        (
            "https",
            "engines",
            "stranger",
            "does not accept the gateway's certificate",
        ),
        (
            "http",
            "engines",
            "gateway",
            "write its address with https://",
        ),
    ] {
        let file = site.path().join("gateway.yaml");
        fs::write(&file, site.yaml(scheme, authority, identity)).expect("written");
        let (child, address) = Child::serve(&file);
        let reply = chat(address).await;
        assert!((500..600).contains(&reply.status), "{reply:?}");
        // Down by its probes, which the log tells of by then.
        let down = async {
            while !wire::get(address, "/metrics", &[])
                .await
                .body
                .contains("gateway_endpoint_up{endpoint=\"e0\"} 0")
            {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let in_time = tokio::time::timeout(std::time::Duration::from_secs(60), down).await;
        in_time.expect("down");
        child.signal("-TERM");
        let ended = tokio::task::spawn_blocking(|| child.end()).await;
        let (_, log) = ended.expect("no panic");
        assert!(log.contains(words), "{words} in\n{log}");
    }
}

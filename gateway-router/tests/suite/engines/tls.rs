//! Engines behind TLS, with certificates made for each test.

use std::{future::poll_fn, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use gateway_router::{
    Deadlines, EngineKind, ErrorKind, Retry, RouteError, Target, Tls, TlsIdentity, TlsSettings,
    engine::{EngineCall, EngineClient, GenerateCall, HttpEngine},
    proto::{engines::TokenCall, openai::Api},
};
use gateway_sim::engine::{Flavour, RunningEngine};
use http::HeaderMap;
use http_body_util::BodyExt;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
        version::{TLS12, TLS13},
    },
};

use crate::common::{sim, within};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new([]).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

/// A certificate of `authority` for `name`, perhaps of years ago.
fn issue(authority: &Authority, name: &str, expired: bool) -> TlsIdentity {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    if expired {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("a certificate");
    TlsIdentity {
        certificates: certificate.pem().into_bytes(),
        key: key.serialize_pem().into_bytes(),
    }
}

/// What an engine shows and wants to see.
struct Front {
    shows: TlsIdentity,
    wants: Option<Bytes>,
    versions: Vec<&'static SupportedProtocolVersion>,
}

impl Front {
    fn showing(shows: TlsIdentity) -> Self {
        let versions = vec![&TLS13, &TLS12];
        Self {
            shows,
            wants: None,
            versions,
        }
    }

    fn config(&self) -> ServerConfig {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions)
            .expect("versions");
        let builder = match &self.wants {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(chain(pem));
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                builder.with_client_cert_verifier(verifier.build().expect("an authority"))
            }
        };
        let key = PrivateKeyDer::from_pem_slice(&self.shows.key).expect("a key");
        let mut config = builder
            .with_single_cert(chain(&self.shows.certificates), key)
            .expect("a pair");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

fn chain(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    let read: Result<_, _> = CertificateDer::pem_slice_iter(pem).collect();
    read.expect("certificates")
}

/// A simulated engine behind a front that speaks TLS.
struct Engine {
    engine: RunningEngine,
    port: u16,
    /// The protocol agreed on by the last connection.
    agreed: watch::Receiver<Option<Vec<u8>>>,
}

async fn start(front: Front) -> Engine {
    start_as(Flavour::Vllm, front).await
}

async fn start_as(flavour: Flavour, front: Front) -> Engine {
    let engine = sim::start_with(|config| config.flavour = flavour).await;
    let inner = engine.addr();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let acceptor = TlsAcceptor::from(Arc::new(front.config()));
    let (tell, agreed) = watch::channel(None);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(carry(acceptor.clone(), stream, inner, tell.clone()));
        }
    });
    Engine {
        engine,
        port,
        agreed,
    }
}

async fn carry(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    inner: SocketAddr,
    tell: watch::Sender<Option<Vec<u8>>>,
) {
    let Ok(mut outer) = acceptor.accept(stream).await else {
        return;
    };
    let protocol = outer.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    tell.send_replace(protocol);
    let mut inner = TcpStream::connect(inner).await.expect("the engine listens");
    // However it ends, both sockets close.
    let _ended = copy_bidirectional(&mut outer, &mut inner).await;
}

fn client(port: u16, settings: Option<TlsSettings>) -> HttpEngine {
    HttpEngine::new(
        target(port, settings),
        EngineKind::Vllm,
        None,
        4,
        Duration::from_secs(30),
    )
}

fn target(port: u16, settings: Option<TlsSettings>) -> Target {
    let mut target = Target::parse(&format!("https://localhost:{port}")).expect("an address");
    if let Some(settings) = settings {
        let tls = Tls::new(settings).expect("good settings");
        target = target.with_tls(tls).expect("https");
    }
    target
}

fn trusting(authority: &Authority) -> TlsSettings {
    TlsSettings {
        authorities: Some(authority.pem().into_bytes()),
        ..TlsSettings::default()
    }
}

fn call(members: &str) -> EngineCall {
    let body = format!(
        r#"{{"model":"m",{members}"ignore_eos":true,"messages":[{{"role":"user","content":"hello"}}]}}"#
    );
    EngineCall {
        api: Api::ChatCompletions,
        body: Bytes::from(body),
        headers: HeaderMap::new(),
        deadlines: Deadlines::default(),
        is_once: false,
    }
}

async fn serves(engine: &Engine, client: &HttpEngine) {
    let before = engine.engine.stats().connections;
    for _ in 0..3 {
        within(client.probe()).await.expect("well");
        let call = call(r#""max_tokens":5,"stream":true,"#);
        let reply = within(client.send(call)).await.expect("served");
        let whole = within(reply.body.collect()).await.expect("a whole body");
        let said = String::from_utf8(whole.to_bytes().to_vec()).expect("text");
        assert!(said.ends_with("data: [DONE]\n\n"), "{said}");
    }
    let made = engine.engine.stats().connections - before;
    assert_eq!(made, 1, "kept and used again");
    assert_eq!(engine.agreed.borrow().as_deref(), Some(&b"http/1.1"[..]));
}

#[tokio::test]
async fn engines_of_a_named_authority_serve_in_both_versions() {
    for version in [&TLS13, &TLS12] {
        let authority = authority();
        let mut front = Front::showing(issue(&authority, "localhost", false));
        front.versions = vec![version];
        let engine = start(front).await;
        serves(&engine, &client(engine.port, Some(trusting(&authority)))).await;
    }
}

/// As it is set up unless told otherwise: both of its ports under TLS.
#[tokio::test]
async fn mindie_serves_and_tells_of_itself_under_tls() {
    let authority = authority();
    let front = || Front::showing(issue(&authority, "localhost", false));
    let business = start_as(Flavour::Mindie, front()).await;
    let management = start_as(Flavour::Mindie, front()).await;
    let at = |engine: &Engine| target(engine.port, Some(trusting(&authority)));
    let both = at(&business).with_management(at(&management));
    let found = gateway_router::detect(&both, None, Duration::from_secs(30));
    assert_eq!(within(found).await.expect("found").kind, EngineKind::Mindie);
    let client = HttpEngine::new(both, EngineKind::Mindie, None, 4, Duration::from_secs(30));
    within(client.probe()).await.expect("well");
    let reading = within(client.telemetry()).await.expect("it tells");
    assert_eq!((reading.running, reading.waiting), (Some(0), Some(0)));
    let tokens = GenerateCall {
        call: Arc::new(TokenCall::new("m", [11, 12, 13], 5)),
        headers: HeaderMap::new(),
        deadlines: Deadlines::default(),
        edit: None,
        event_bytes: 1 << 20,
    };
    let mut stream = within(client.generate(tokens)).await.expect("begins");
    let mut events = Vec::new();
    let more = poll_fn(|cx| stream.as_mut().poll_more(cx, &mut events));
    within(more).await.expect("tokens");
    assert!(!events[0].ids.is_empty());
    assert_eq!(business.engine.last_request().path, "/infer_token");
    assert_eq!(management.engine.stats().requests, 0);
}

#[tokio::test]
async fn a_dropped_body_frees_the_request() {
    let authority = authority();
    let engine = start(Front::showing(issue(&authority, "localhost", false))).await;
    let client = client(engine.port, Some(trusting(&authority)));
    let call = call(r#""max_tokens":4000,"stream":true,"#);
    let mut reply = within(client.send(call)).await.expect("served");
    within(reply.body.frame())
        .await
        .expect("a chunk")
        .expect("unbroken");
    assert_eq!(engine.engine.stats().running, 1);
    drop(reply);
    within(async {
        while engine.engine.stats().aborted == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn refused(port: u16, settings: Option<TlsSettings>) -> RouteError {
    let client = client(port, settings);
    let error = within(client.probe()).await.expect_err("refused");
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Connect, Retry::OtherEndpoint)
    );
    error
}

#[tokio::test]
async fn certificates_that_are_not_accepted_say_why() {
    let authority = authority();
    let good = start(Front::showing(issue(&authority, "localhost", false))).await;
    let other = start(Front::showing(issue(&authority, "engine-7", false))).await;
    let old = start(Front::showing(issue(&authority, "localhost", true))).await;
    let trusting = trusting(&authority);
    for (port, settings, words) in [
        (good.port, None, "authority that is not trusted"),
        (other.port, Some(trusting.clone()), "for another name"),
        (old.port, Some(trusting.clone()), "has expired"),
    ] {
        let error = refused(port, settings).await;
        assert!(error.to_api().message.contains(words), "{error}");
    }
    // None of it matters where any certificate will do; another name is one setting away.
    let insecure = TlsSettings {
        insecure: true,
        ..TlsSettings::default()
    };
    for engine in [&good, &other, &old] {
        let client = client(engine.port, Some(insecure.clone()));
        within(client.probe()).await.expect("accepted");
    }
    let named = TlsSettings {
        server_name: Some("engine-7".to_owned()),
        ..trusting
    };
    serves(&other, &client(other.port, Some(named))).await;
}

#[tokio::test]
async fn an_engine_may_ask_who_calls() {
    for version in [&TLS13, &TLS12] {
        let (engines, callers) = (authority(), authority());
        let mut front = Front::showing(issue(&engines, "localhost", false));
        front.wants = Some(callers.pem().into());
        front.versions = vec![version];
        let engine = start(front).await;
        let known = TlsSettings {
            identity: Some(issue(&callers, "gateway", false)),
            ..trusting(&engines)
        };
        serves(&engine, &client(engine.port, Some(known))).await;
        for identity in [None, Some(issue(&engines, "gateway", false))] {
            let settings = TlsSettings {
                identity,
                ..trusting(&engines)
            };
            let error = refused(engine.port, Some(settings)).await;
            let said = &error.to_api().message;
            assert!(
                said.contains("does not accept the gateway's certificate"),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn what_speaks_no_tls_is_told_from_what_is_silent() {
    let plain = sim::start().await;
    let error = refused(plain.addr().port(), None).await;
    assert!(
        error.to_api().message.contains("does not speak TLS"),
        "{error}"
    );

    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("bound").port();
    let client = client(port, None);
    let mut call = call("");
    call.deadlines.connect = Duration::from_millis(50);
    let error = within(client.send(call))
        .await
        .map(drop)
        .expect_err("silent");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_api().message.contains("in time"), "{error}");
}

#[tokio::test]
async fn an_address_without_tls_at_a_port_that_speaks_it_is_told_what_to_write() {
    let authority = authority();
    let engine = start(Front::showing(issue(&authority, "localhost", false))).await;
    let plain = Target::parse(&format!("http://localhost:{}", engine.port)).expect("an address");
    let client = HttpEngine::new(plain, EngineKind::Mindie, None, 4, Duration::from_secs(30));
    let error = within(client.probe()).await.expect_err("no HTTP there");
    let said = &error.to_api().message;
    assert!(said.ends_with("write its address with https://."), "{said}");
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let authority = authority();
    let pair = issue(&authority, "localhost", false);
    let other = issue(&authority, "localhost", false);
    let with = |certificates: &[u8], key: &[u8]| TlsSettings {
        identity: Some(TlsIdentity {
            certificates: certificates.to_vec(),
            key: key.to_vec(),
        }),
        ..TlsSettings::default()
    };
    let cases = [
        (
            TlsSettings {
                authorities: Some(b"nothing".to_vec()),
                ..TlsSettings::default()
            },
            "authorities",
        ),
        (
            TlsSettings {
                server_name: Some("no name".to_owned()),
                ..TlsSettings::default()
            },
            "no name",
        ),
        (with(b"", &pair.key), "no certificate to show"),
        (with(&pair.certificates, b""), "private key"),
        (with(&pair.certificates, &other.key), "do not go together"),
    ];
    for (settings, words) in cases {
        let shown = format!("{settings:?}");
        assert!(!shown.contains("PRIVATE"), "{shown}");
        let error = Tls::new(settings).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}

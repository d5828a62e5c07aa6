//! Engines that publish, and a router that prefers whoever holds the longest prefix.

use std::time::Duration;

use bytes::Bytes;
use gateway_router::{
    EndpointSettings, EngineKind, RouteRequest, Router, RouterSettings,
    core::{
        Pipeline,
        kvfeed::{FeedTrust, Weakness},
        plugin::{filter_fn, scorer_fn},
    },
    feed::{FeedAddress, FeedStatus, KvEvents},
    proto::openai::Api,
};
use gateway_sim::engine::{FaultKind, FaultSpec, KvEventsConfig, RunningEngine};
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::sleep};

use crate::common::{rig, sim, within};

/// Tokens of an engine's block, and of the router's.
pub(crate) const BLOCK: usize = 16;

/// An engine that publishes as told.
pub(crate) async fn engine(change: impl FnOnce(&mut KvEventsConfig)) -> RunningEngine {
    let mut events = KvEventsConfig::new("m");
    change(&mut events);
    sim::start_with(|config| config.kv_events = Some(events)).await
}

/// Endpoints `a`, `b`, ... that are vLLM and are asked where they publish.
pub(crate) fn settings(engines: &[&RunningEngine]) -> RouterSettings {
    let addrs: Vec<_> = engines.iter().map(|engine| engine.addr()).collect();
    let mut settings = RouterSettings {
        pipelines: by_prefix().into(),
        ..rig::settings(&addrs)
    };
    for endpoint in &mut settings.endpoints {
        *endpoint = EndpointSettings {
            kind: EngineKind::Vllm,
            kv_events: KvEvents::Auto,
            transfer: None,
            ..endpoint.clone()
        };
    }
    // Down and up again must be seen soon, so that tests are quick; nothing depends on how soon.
    settings.watch.probe_every = Duration::from_millis(100);
    settings.feeds.back_off_at_most = Duration::from_millis(200);
    settings
}

/// Whoever holds more of the prompt; where nobody holds any, whoever is listed last, so that no test about the first
/// endpoint succeeds by chance.
fn by_prefix() -> Pipeline {
    Pipeline::builder()
        .filter("healthy", filter_fn(|_, c| c.availability.is_up()))
        .scorer(
            "held",
            1.0,
            scorer_fn(|cx, c| c.cached_tokens as f32 / (cx.prompt_tokens as f32).max(1.0)),
        )
        .scorer(
            "last",
            0.01,
            scorer_fn(|_, c| f32::from(c.endpoint.id().0) / 10.0),
        )
        .build()
}

pub(crate) fn router(settings: RouterSettings) -> Router {
    let builder = Router::builder().settings(settings);
    builder.build().expect("valid settings")
}

/// A prompt of so many blocks, and a token more, that shares none with another `name`.
pub(crate) fn prompt(name: u32, blocks: usize) -> Vec<u32> {
    let first = 1_000 + name;
    let tokens = (0..=blocks * BLOCK).map(|at| 100 + u32::try_from(at % 50).expect("small"));
    [first].into_iter().chain(tokens.skip(1)).collect()
}

fn body(prompt: &[u32]) -> Bytes {
    format!(r#"{{"model":"m","max_tokens":1,"prompt":{prompt:?}}}"#).into()
}

/// Has an engine compute a prompt, past every router.
pub(crate) async fn compute(engine: &RunningEngine, prompt: &[u32]) {
    let stream = TcpStream::connect(engine.addr()).await.expect("it listens");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .expect("it speaks HTTP");
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v1/completions")
        .header(header::HOST, "engine")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body(prompt)))
        .expect("a request");
    let reply = within(sender.send_request(request)).await.expect("a reply");
    assert_eq!(reply.status(), 200);
    within(reply.into_body().collect())
        .await
        .expect("all of it");
    connection.abort();
}

/// Routes a prompt: the endpoint that served it.
pub(crate) async fn route(router: &Router, prompt: &[u32]) -> String {
    let request = RouteRequest::parse(Api::Completions, body(prompt)).expect("a good request");
    let reply = within(router.route(request)).await.expect("served");
    let endpoint = reply.endpoint.to_string();
    rig::text(reply).await;
    endpoint
}

pub(crate) fn status(router: &Router, endpoint: &str) -> FeedStatus {
    let feeds = router.feeds();
    let found = feeds.into_iter().find(|(name, _)| name == endpoint);
    found.expect("it has a feed").1
}

/// Waits until an endpoint's feed is as wanted.
pub(crate) async fn until(router: &Router, endpoint: &str, is: impl Fn(&FeedStatus) -> bool) {
    let asked = async {
        while !is(&status(router, endpoint)) {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let outcome = tokio::time::timeout(Duration::from_secs(60), asked).await;
    assert!(outcome.is_ok(), "{:?}", status(router, endpoint));
}

pub(crate) async fn until_exact(router: &Router, endpoint: &str) {
    until(router, endpoint, |feed| feed.trust == FeedTrust::Exact).await;
}

/// Waits until so many engine blocks are known.
pub(crate) async fn until_known(router: &Router, endpoint: &str, blocks: usize) {
    until(router, endpoint, |feed| feed.stats.blocks == blocks).await;
}

/// The address of a port of this host.
pub(crate) fn at(port: u16) -> FeedAddress {
    FeedAddress::new("127.0.0.1", port)
}

/// A port that is free just now.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// Has the endpoint "a" lose a batch for good: its first prompt is forgotten, and the third, told behind the gap, is known.
pub(crate) async fn miss_a_batch(router: &Router, engine: &RunningEngine) {
    until_exact(router, "a").await;
    compute(engine, &prompt(1, 4)).await;
    until_known(router, "a", 4).await;
    engine.inject(FaultSpec::new(FaultKind::DropKvBatch).times(1));
    compute(engine, &prompt(2, 4)).await;
    compute(engine, &prompt(3, 4)).await;
    let resynced = FeedTrust::Degraded(Weakness::Resynced);
    until(router, "a", |feed| feed.trust == resynced).await;
    until_known(router, "a", 4).await;
}

//! A router over given engines that tries them in the order they are listed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use gateway_router::{
    Credential, EndpointSettings, EndpointSpec, EngineKind, ReplyBody, RouteError, RouteReply,
    RouteRequest, Router, RouterSettings, Target,
    core::{
        Pipeline,
        health::Availability,
        load::Telemetry,
        plugin::{filter_fn, scorer_fn},
    },
    engine::{BoxTokens, EngineCall, EngineClient, EngineReply, GenerateCall, HttpEngine},
    feed::KvEvents,
    proto::openai::{Api, ModelCard},
};
use http_body_util::BodyExt;

use super::{reports::Reports, within};

pub(crate) const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// An HTTP engine that nobody probes, so that a script sees the requests of its test and no others.
struct Unwatched(HttpEngine);

#[async_trait]
impl EngineClient for Unwatched {
    async fn send(&self, call: EngineCall) -> Result<EngineReply, RouteError> {
        self.0.send(call).await
    }

    async fn generate(&self, call: GenerateCall) -> Result<BoxTokens, RouteError> {
        self.0.generate(call).await
    }

    async fn prefill(&self, call: GenerateCall) -> Result<EngineReply, RouteError> {
        self.0.prefill(call).await
    }

    fn read_tokens(&self, call: &GenerateCall, reply: EngineReply) -> Option<BoxTokens> {
        self.0.read_tokens(call, reply)
    }

    async fn ask_bootstrap(&self, host: &str, port: u16) -> Result<Bytes, RouteError> {
        self.0.ask_bootstrap(host, port).await
    }

    fn forget_bootstrap(&self) {
        self.0.forget_bootstrap();
    }

    async fn results(&self) -> Result<EngineReply, RouteError> {
        self.0.results().await
    }

    async fn stop(&self, model: &str, id: &str) -> Result<(), RouteError> {
        self.0.stop(model, id).await
    }

    async fn probe(&self) -> Result<(), RouteError> {
        Ok(())
    }

    async fn telemetry(&self) -> Result<Telemetry, RouteError> {
        Ok(Telemetry::default())
    }

    async fn models(&self) -> Result<Vec<ModelCard>, RouteError> {
        self.0.models().await
    }
}

/// Drives engines at their targets over HTTP without probes.
pub(crate) fn unwatched(told: &EndpointSettings) -> Option<Arc<dyn EngineClient>> {
    let engine = HttpEngine::new(
        told.target.clone(),
        told.kind,
        told.credential.clone(),
        8,
        Duration::from_secs(30),
    );
    Some(Arc::new(Unwatched(engine)))
}

/// Serves the model, healthy, not yet tried, and of those the one listed first.
pub(crate) fn in_listed_order() -> Pipeline {
    Pipeline::builder()
        .filter(
            "serves-model",
            filter_fn(|cx, c| c.endpoint.serves(cx.model)),
        )
        .filter("healthy", filter_fn(|_, c| c.availability.is_up()))
        .filter(
            "exclude",
            filter_fn(|cx, c| !cx.exclude.contains(&c.endpoint.id())),
        )
        .scorer(
            "listed",
            1.0,
            scorer_fn(|_, c| 1.0 / (1.0 + f32::from(c.endpoint.id().0))),
        )
        .build()
}

/// An endpoint that serves the model `m`.
pub(crate) fn endpoint(name: &str, addr: SocketAddr) -> EndpointSettings {
    EndpointSettings {
        spec: EndpointSpec::new(name).model("m"),
        target: Target::parse(&format!("http://{addr}")).expect("an address"),
        kind: EngineKind::OpenAi,
        credential: None,
        kv_events: KvEvents::default(),
        transfer: None,
    }
}

/// Endpoints `a`, `b`, ... at these addresses. One failure opens a breaker, so that tests see every one that counts.
pub(crate) fn settings(addrs: &[SocketAddr]) -> RouterSettings {
    let endpoints = NAMES
        .iter()
        .zip(addrs)
        .map(|(name, &addr)| endpoint(name, addr));
    let mut settings = RouterSettings {
        endpoints: endpoints.collect(),
        pipelines: in_listed_order().into(),
        ..RouterSettings::default()
    };
    settings.fleet.health.open_after = 1;
    // Who is back serves at once, and who is out is not asked: tests of slow starts and panic say so.
    settings.fleet.health.slow_start = Duration::ZERO;
    settings.fleet.health.panic_percent = 0;
    settings
}

pub(crate) struct Rig {
    pub(crate) router: Router,
    pub(crate) reports: Arc<Reports>,
}

impl Rig {
    pub(crate) fn new(addrs: &[SocketAddr]) -> Self {
        Self::with(settings(addrs))
    }

    pub(crate) fn with(settings: RouterSettings) -> Self {
        Self::driving(settings, unwatched)
    }

    pub(crate) fn driving<F>(settings: RouterSettings, engines: F) -> Self
    where
        F: Fn(&EndpointSettings) -> Option<Arc<dyn EngineClient>> + Send + Sync + 'static,
    {
        let reports = Arc::new(Reports::default());
        let builder = Router::builder()
            .settings(settings)
            .reports(Arc::clone(&reports) as _);
        let router = builder.engines(engines).build().expect("valid settings");
        Self { router, reports }
    }

    pub(crate) async fn ask(&self) -> Result<RouteReply, RouteError> {
        within(self.router.route(request(false))).await
    }

    pub(crate) async fn ask_for_stream(&self) -> Result<RouteReply, RouteError> {
        within(self.router.route(request(true))).await
    }

    pub(crate) fn availability(&self, name: &str) -> Availability {
        let fleet = self.router.fleet();
        let endpoint = fleet.by_name(name).expect("listed");
        endpoint.state().availability(self.router.clock().now())
    }

    /// No request is booked anywhere, not by a single token.
    pub(crate) fn assert_idle(&self) {
        for endpoint in self.router.fleet().endpoints() {
            let load = endpoint.state().in_flight();
            assert_eq!(load, Default::default(), "{}", endpoint.name());
        }
    }
}

pub(crate) fn request(stream: bool) -> RouteRequest {
    let body = format!(
        r#"{{"model":"m","stream":{stream},"messages":[{{"role":"user","content":"hello there"}}]}}"#
    );
    RouteRequest::parse(Api::ChatCompletions, Bytes::from(body)).expect("a good request")
}

/// The whole text of a reply.
pub(crate) async fn text(reply: RouteReply) -> String {
    let whole = within(reply.response.into_body().collect()).await;
    let bytes = whole.unwrap_or_else(|never| match never {}).to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The next chunk of a reply, `None` at its end.
pub(crate) async fn chunk(body: &mut ReplyBody) -> Option<Bytes> {
    let frame = within(body.frame()).await?;
    let frame = frame.unwrap_or_else(|never| match never {});
    Some(frame.into_data().expect("replies have no trailers"))
}

pub(crate) fn credential(secret: &str) -> Option<Credential> {
    Some(Credential::bearer(secret).expect("plain text"))
}

//! Puts tower layers around the router: at most two requests at a time, each with a time limit until its reply begins.
//!
//! The engine is a simulated one that the example starts itself. The router stays the innermost service, so whatever the
//! layers drop, as a request that took too long, is cancelled at the engine at once.
//!
//! `cargo run -p tower-stack`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::{error::Error, time::Duration};

use bytes::Bytes;
use gateway_router::{
    EndpointSettings, EndpointSpec, EngineKind, ReplyBody, Router, RouterSettings, Target,
};
use gateway_sim::{
    engine::{FaultKind, FaultSpec, SimConfig, SimEngine},
    model::ChipProfile,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

type Ask = Request<Full<Bytes>>;
type Reply = Response<ReplyBody>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let chip = ChipProfile::names().next().and_then(ChipProfile::named);
    let engine = SimEngine::start(SimConfig::new("demo", chip.ok_or("no chip is known")?)).await?;
    let stack = stack(router_to(&engine.url())?, Duration::from_secs(20));

    let mut asking = tokio::task::JoinSet::new();
    for number in 0..4 {
        asking.spawn(ask(stack.clone(), number));
    }
    while let Some(answer) = asking.join_next().await {
        println!("{}", answer??);
    }

    // An engine that hangs: the layer gives up, and the engine hears of it.
    engine.inject(FaultSpec::new(FaultKind::Hang));
    let impatient = tower::timeout::Timeout::new(stack, Duration::from_millis(200));
    let late = ask(impatient, 4)
        .await
        .err()
        .ok_or("a hanging engine does not answer")?;
    println!("the last request: {late}");
    Ok(())
}

fn router_to(url: &str) -> Result<Router, BoxError> {
    let endpoint = EndpointSettings {
        spec: EndpointSpec::new("first").model("demo"),
        target: Target::parse(url)?,
        kind: EngineKind::Vllm,
        credential: None,
        kv_events: Default::default(),
        transfer: None,
    };
    let settings = RouterSettings {
        endpoints: vec![endpoint],
        ..Default::default()
    };
    Ok(Router::builder().settings(settings).build()?)
}

/// Layers from the outside in. The time limit ends with the head of the reply; `Deadlines` watch over the stream after it.
fn stack(
    router: Router,
    patience: Duration,
) -> impl Service<Ask, Response = Reply, Error = BoxError, Future: Send> + Clone + Send {
    ServiceBuilder::new()
        .timeout(patience)
        .concurrency_limit(2)
        .service(router)
}

async fn ask<S>(service: S, number: usize) -> Result<String, BoxError>
where
    S: Service<Ask, Response = Reply, Error = BoxError, Future: Send>,
{
    let body = format!(
        r#"{{"model":"demo","max_tokens":6,"messages":[{{"role":"user","content":"question {number}"}}]}}"#
    );
    let request = Request::post("/v1/chat/completions").body(Full::new(Bytes::from(body)))?;
    let reply = service.oneshot(request).await?;
    let status = reply.status();
    let whole = reply.into_body().collect().await?.to_bytes();
    Ok(format!(
        "request {number}: {status} {}",
        String::from_utf8_lossy(&whole)
    ))
}

//! Mounts the router in an axum service, beside a route and behind a layer of one's own, and sends it one request over TCP.
//!
//! The engine is a simulated one that the example starts itself; to use your own, put its address into `Target::parse`.
//!
//! `cargo run -p embed-axum`
#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::get,
};
use gateway_router::{EndpointSettings, EndpointSpec, EngineKind, Router, RouterSettings, Target};
use gateway_sim::{
    engine::{SimConfig, SimEngine},
    model::ChipProfile,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let chip = ChipProfile::names().next().and_then(ChipProfile::named);
    let engine = SimEngine::start(SimConfig::new("demo", chip.ok_or("no chip is known")?)).await?;
    let router = router_to(&engine.url())?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(axum::serve(listener, app(router)).into_future());

    let reply = ask(address).await?;
    println!("{reply}");
    server.abort();
    let served = reply.starts_with("HTTP/1.1 200") && reply.contains("x-served-by: my-service");
    served
        .then_some(())
        .ok_or_else(|| "the request was not served".into())
}

fn router_to(url: &str) -> Result<Router, Box<dyn Error>> {
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

/// A route of our own, everything else to the router, our layer around both.
fn app(router: Router) -> axum::Router {
    let models = router.clone();
    let list = move || async move { models.fleet().models().join("\n") };
    axum::Router::new()
        .route("/models.txt", get(list))
        .fallback_service(router)
        .layer(from_fn(check_and_mark))
}

/// Whatever your service does for every request: here it asks for a token and signs the reply.
async fn check_and_mark(mut request: Request, next: Next) -> Response {
    // Taken out, so that engines do not get to see it.
    let token = request.headers_mut().remove(header::AUTHORIZATION);
    if token.is_none_or(|token| token != "Bearer open-sesame") {
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    }
    let mut reply = next.run(request).await;
    reply
        .headers_mut()
        .insert("x-served-by", HeaderValue::from_static("my-service"));
    reply
}

async fn ask(address: std::net::SocketAddr) -> Result<String, Box<dyn Error>> {
    let body = r#"{"model":"demo","max_tokens":8,"stream":true,"messages":[{"role":"user","content":"hello"}]}"#;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer open-sesame\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(head.as_bytes()).await?;
    socket.write_all(body.as_bytes()).await?;
    let mut reply = String::new();
    socket.read_to_string(&mut reply).await?;
    Ok(reply)
}

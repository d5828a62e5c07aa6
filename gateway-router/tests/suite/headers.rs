//! What crosses the router beside the body.

use gateway_router::{RouteRequest, proto::openai::Api};
use http::{HeaderName, HeaderValue};

use crate::common::{
    rig::{Rig, credential, request, settings, text},
    script::{ScriptEngine, say},
    wire::{ANSWER, answer},
};

fn with_headers(pairs: &[(&'static str, &'static str)]) -> RouteRequest {
    let mut request = request(false);
    for &(name, value) in pairs {
        let name = HeaderName::from_static(name);
        request
            .headers
            .append(name, HeaderValue::from_static(value));
    }
    request
}

#[tokio::test]
async fn a_request_goes_out_as_it_came_without_what_belongs_to_the_hop() {
    let engine = ScriptEngine::good().await;
    let rig = Rig::new(&[engine.addr]);
    let mut request = with_headers(&[
        ("traceparent", "00-1-2-01"),
        ("accept-encoding", "gzip, br"),
        ("connection", "keep-alive, x-hop"),
        ("keep-alive", "timeout=5"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("upgrade", "h2c"),
        ("expect", "100-continue"),
        ("proxy-authorization", "Basic eA=="),
        ("host", "gateway.example"),
        ("content-length", "7"),
    ]);
    request.request_id = "req-42".into();
    let body = String::from_utf8(request.body.to_vec()).expect("text");
    rig.router.route(request).await.expect("served");
    let heard = engine.only();
    assert!(
        heard
            .head
            .starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{}",
        heard.head
    );
    assert_eq!(heard.body, body);
    assert_eq!(heard.header("traceparent"), Some("00-1-2-01"));
    assert_eq!(heard.header("x-request-id"), Some("req-42"));
    assert_eq!(heard.header("host"), Some(&*engine.addr.to_string()));
    assert_eq!(
        heard.header("content-length"),
        Some(&*body.len().to_string())
    );
    assert_eq!(heard.header("content-type"), Some("application/json"));
    let of_the_hop =
        "accept-encoding connection keep-alive x-hop te upgrade expect proxy-authorization";
    for name in of_the_hop.split(' ') {
        assert_eq!(heard.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn options_of_streams_stay_here_where_nothing_streams() {
    let engine = ScriptEngine::good().await;
    let rig = Rig::new(&[engine.addr]);
    let plain = r#"{"model":"m","later":{"a":[ 1 ]},"messages":[{"role":"user","content":"hi"}]}"#;
    let with_options = plain.replacen('{', r#"{"stream_options":{"include_usage":true},"#, 1);
    let request = RouteRequest::parse(Api::ChatCompletions, with_options.into());
    let answered = rig.router.route(request.expect("a good request")).await;
    answered.expect("served");
    assert_eq!(engine.only().body, plain);
}

#[tokio::test]
async fn a_reply_comes_back_without_what_belongs_to_the_hop() {
    let extra = "HTTP/1.1 200 OK\r\nserver: uvicorn\r\nx-request-id: inner\r\nkeep-alive: timeout=5\r\n\
                 connection: keep-alive, x-hop\r\nx-hop: 1\r\nx-engine-note: kept\r\n";
    let engine =
        ScriptEngine::always(say(answer().replace("HTTP/1.1 200 Some Reason\r\n", extra))).await;
    let rig = Rig::new(&[engine.addr]);
    let reply = rig.ask().await.expect("served");
    let mut names: Vec<_> = reply
        .response
        .headers()
        .keys()
        .map(ToString::to_string)
        .collect();
    names.sort();
    assert_eq!(names, ["content-type", "x-engine-note"]);
    assert_eq!(text(reply).await, ANSWER);
}

#[tokio::test]
async fn the_engines_credential_replaces_the_callers_and_is_never_shown() {
    let engine = ScriptEngine::good().await;
    let mut settings = settings(&[engine.addr]);
    settings.endpoints[0].credential = credential("s3cret");
    let shown = format!("{settings:?}");
    let rig = Rig::with(settings);
    let request = with_headers(&[("authorization", "Bearer of-the-caller")]);
    rig.router.route(request).await.expect("served");
    let heard = engine.only();
    assert_eq!(heard.header("authorization"), Some("Bearer s3cret"));
    assert!(!heard.head.contains("of-the-caller"));
    let shown = format!("{shown} {:?}", rig.router);
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[tokio::test]
async fn a_base_path_and_the_api_make_the_route() {
    let engine = ScriptEngine::good().await;
    let mut settings = settings(&[engine.addr]);
    let url = format!("http://{}/llm/", engine.addr);
    settings.endpoints[0].target = gateway_router::Target::parse(&url).expect("an address");
    let rig = Rig::with(settings);
    let body = bytes::Bytes::from_static(br#"{"model":"m","prompt":"x","odd":{"kept":[1e400]}}"#);
    let request = RouteRequest::parse(Api::Completions, body.clone()).expect("good");
    rig.router.route(request).await.expect("served");
    let heard = engine.only();
    assert!(
        heard.head.starts_with("POST /llm/v1/completions HTTP/1.1"),
        "{}",
        heard.head
    );
    assert_eq!(
        heard.body.as_bytes(),
        body,
        "fields that nobody knows pass untouched"
    );
}

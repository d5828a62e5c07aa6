//! The WebSocket form.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message, client::IntoClientRequest as _, protocol::frame::coding::CloseCode,
    },
};

use crate::{
    events::check,
    rig::{KEY, Rig, text, weather_tool},
};

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn open(rig: &Rig, key: &str) -> Result<Self, Box<Error>> {
        let url = format!("ws://{}/v1/responses", rig.addr());
        let mut request = url.into_client_request().expect("a request");
        let bearer = format!("Bearer {key}").parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        let stream = TcpStream::connect(rig.addr())
            .await
            .expect("the gateway listens");
        let opened = client_async(request, stream).await;
        opened.map(|(socket, _)| Self(socket)).map_err(Box::new)
    }

    async fn create(&mut self, mut body: Value) {
        body["type"] = "response.create".into();
        body["model"] = "m".into();
        self.say(Message::text(body.to_string())).await;
    }

    async fn say(&mut self, message: Message) {
        self.0.send(message).await.expect("it is open");
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(60), self.0.next());
        next.await
            .expect("in time")
            .expect("it is open")
            .expect("a message")
    }

    /// The next event; pings aside.
    async fn event(&mut self) -> Value {
        loop {
            match self.next().await {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    /// The response that is made, its events checked.
    async fn response(&mut self) -> Value {
        let mut events = Vec::new();
        loop {
            let event = self.event().await;
            assert_ne!(event["type"], "error", "{event}");
            events.push(event);
            let response = &events[events.len() - 1]["response"];
            if matches!(
                response["status"].as_str(),
                Some("completed" | "incomplete" | "failed")
            ) {
                check(&events);
                return response.clone();
            }
        }
    }

    async fn respond(&mut self, body: Value) -> Value {
        self.create(body).await;
        self.response().await
    }

    /// The error that comes instead.
    async fn refused(&mut self, body: Value) -> Value {
        self.create(body).await;
        self.event().await
    }

    /// Why it is closed.
    async fn closed(&mut self) -> Option<CloseCode> {
        loop {
            match tokio::time::timeout(Duration::from_secs(60), self.0.next())
                .await
                .expect("in time")
            {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}

async fn open(rig: &Rig) -> Client {
    Client::open(rig, KEY).await.expect("an upgrade")
}

fn code(event: &Value) -> (&str, u64, &str) {
    let word = |value: &'static str| event[value].as_str().unwrap_or_default();
    let code = event["error"]["code"].as_str().unwrap_or_default();
    (
        word("type"),
        event["status"].as_u64().unwrap_or_default(),
        code,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_follow_each_other_without_any_store() {
    let rig = Rig::start().await;
    let mut client = open(&rig).await;
    let first = client
        .respond(json!({"input": "My name is Uma.", "store": false}))
        .await;
    let body =
        json!({"input": "What is my name?", "store": false, "previous_response_id": first["id"]});
    assert_eq!(text(&client.respond(body).await), "You are Uma.");
    let path = format!("/v1/responses/{}", first["id"].as_str().expect("an id"));
    assert_eq!(rig.get(&path).await.status, 404, "nothing was kept");
    let old = client
        .refused(json!({"input": "Hi", "previous_response_id": first["id"]}))
        .await;
    assert_eq!(
        code(&old),
        ("error", 400, "previous_response_not_found"),
        "only the last is remembered"
    );
    assert!(old["sequence_number"].is_number(), "{old}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_knows_nothing_of_another() {
    let rig = Rig::start().await;
    let (mut one, mut two) = (open(&rig).await, open(&rig).await);
    let first = one.respond(json!({"input": "Hi", "store": false})).await;
    let refused = two
        .refused(json!({"input": "Hi", "previous_response_id": first["id"]}))
        .await;
    assert_eq!(
        code(&refused),
        ("error", 400, "previous_response_not_found")
    );
    let kept = one.respond(json!({"input": "My name is Vic."})).await;
    let body = json!({"input": "What is my name?", "previous_response_id": kept["id"]});
    assert_eq!(
        text(&two.respond(body).await),
        "You are Vic.",
        "what is kept is everywhere"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_does_not_have_becomes_part_of_what_it_gets() {
    let rig = Rig::start().await;
    let mut client = open(&rig).await;
    let first = client
        .respond(json!({"input": "My name is Wim.", "store": false}))
        .await;
    let second = client
        .respond(json!({"input": "Hm.", "previous_response_id": first["id"]}))
        .await;
    let body = json!({"input": "What is my name?", "previous_response_id": second["id"]});
    assert_eq!(text(&rig.respond(body).await), "You are Wim.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_warmed_up() {
    let rig = Rig::start().await;
    let mut client = open(&rig).await;
    for input in [
        json!([]),
        json!([{"role": "user", "content": "My name is Xia."}]),
    ] {
        let body =
            json!({"input": input, "generate": false, "store": false, "tools": [weather_tool()]});
        let warm = client.respond(body).await;
        assert_eq!(
            (warm["status"].as_str(), &warm["output"]),
            (Some("completed"), &json!([]))
        );
        assert_eq!(rig.engine.stats().requests, 0, "no engine was asked");
        if input != json!([]) {
            let body = json!({"input": "What is my name?", "store": false, "previous_response_id": warm["id"]});
            assert_eq!(text(&client.respond(body).await), "You are Xia.");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_up_without_input_is_continued() {
    let rig = Rig::start().await;
    let mut client = open(&rig).await;
    let warm = client
        .respond(json!({"generate": false, "store": false}))
        .await;
    let body = json!({"input": "Hi", "store": false, "previous_response_id": warm["id"]});
    assert_eq!(text(&client.respond(body).await), "Hello there, friend.");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_without_its_call_fails_and_forgets_what_it_went_back_to() {
    let rig = Rig::start().await;
    let mut client = open(&rig).await;
    let tools = json!([weather_tool()]);
    let first = client
        .respond(json!({"input": "How is the weather?", "tools": tools, "store": false}))
        .await;
    let output = |call_id: &Value| json!([{"type": "function_call_output", "call_id": call_id, "output": "rain"}]);
    let body = |call_id: &Value| {
        json!({"input": output(call_id), "tools": tools, "store": false,
        "previous_response_id": first["id"]})
    };
    let stray = client.refused(body(&"call_stray".into())).await;
    assert_eq!(code(&stray), ("error", 400, "unknown_call_id"));
    let forgotten = client.refused(body(&first["output"][0]["call_id"])).await;
    assert_eq!(
        code(&forgotten),
        ("error", 400, "previous_response_not_found")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_response_is_made_at_a_time() {
    let rig = Rig::with("", 1.0).await;
    let mut client = open(&rig).await;
    client
        .create(json!({"input": "Tell a long story", "store": false, "max_output_tokens": 60}))
        .await;
    while client.event().await["type"] != "response.output_text.delta" {}
    client.create(json!({"input": "Hi"})).await;
    let mut refused = 0;
    loop {
        let event = client.event().await;
        match event["type"].as_str() {
            Some("error") => {
                assert_eq!(code(&event), ("error", 400, "response_in_progress"));
                refused += 1;
            }
            Some("response.incomplete") => break,
            _ => {}
        }
    }
    assert_eq!(refused, 1, "and the first goes on");
    assert_eq!(
        client.respond(json!({"input": "Hi"})).await["status"],
        "completed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_messages_are_answered_and_harm_nothing() {
    let rig = Rig::start().await;
    let mut client = open(&rig).await;
    for (message, param) in [
        (Message::text("{"), None),
        (
            Message::text(json!({"type": "session.update", "model": "m"}).to_string()),
            Some("type"),
        ),
        (
            Message::text(json!({"model": "m", "input": "Hi"}).to_string()),
            Some("type"),
        ),
        (
            Message::text(json!({"type": "response.create", "input": "Hi"}).to_string()),
            Some("model"),
        ),
        (Message::binary(b"{}".to_vec()), None),
    ] {
        client.say(message.clone()).await;
        let event = client.event().await;
        assert_eq!(
            (event["type"].as_str(), event["status"].as_u64()),
            (Some("error"), Some(400)),
            "{event}"
        );
        assert_eq!(
            event["error"]["param"].as_str(),
            param,
            "{message:?}: {event}"
        );
        assert!(
            event["error"]["code"].is_string() && event["error"]["message"].is_string(),
            "{event}"
        );
    }
    let background = client
        .refused(json!({"input": "Hi", "background": true}))
        .await;
    assert_eq!(background["error"]["param"], "background");
    client.say(Message::Ping(b"there?".to_vec().into())).await;
    assert_eq!(
        client.next().await,
        Message::Pong(b"there?".to_vec().into())
    );
    assert_eq!(
        client.respond(json!({"input": "Hi"})).await["status"],
        "completed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_looked_at_first() {
    let rig = Rig::start().await;
    let refused = Client::open(&rig, "gw-nobody")
        .await
        .err()
        .expect("no upgrade");
    let Error::Http(reply) = *refused else {
        panic!("{refused}")
    };
    assert_eq!(reply.status(), 401);
    assert!(
        rig.gateway
            .metrics()
            .contains("\ngateway_websockets_total 0\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_ends_the_connection() {
    let rig = Rig::with("limits: {request_bytes: 10000}\n", 100.0).await;
    let mut client = open(&rig).await;
    client.create(json!({"input": "x".repeat(20_000)})).await;
    assert!(matches!(
        client.closed().await,
        None | Some(CloseCode::Size)
    ));
    assert_eq!(
        open(&rig).await.respond(json!({"input": "Hi"})).await["status"],
        "completed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_cancels_at_the_engine() {
    let rig = Rig::with("", 1.0).await;
    let mut client = open(&rig).await;
    client.create(json!({"input": "Tell a long story"})).await;
    while client.event().await["type"] != "response.output_text.delta" {}
    drop(client);
    while rig.engine.stats().running > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while !rig
        .gateway
        .metrics()
        .contains("\ngateway_websockets_open 0\n")
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_lets_the_response_end_and_says_goodbye() {
    let rig = Rig::with("", 10.0).await;
    let (mut idle, mut busy) = (open(&rig).await, open(&rig).await);
    idle.respond(json!({"input": "Hi"})).await;
    busy.create(json!({"input": "Tell a long story", "max_output_tokens": 100}))
        .await;
    assert_eq!(busy.event().await["type"], "response.created");
    rig.gateway.drain();
    assert_eq!(idle.closed().await, Some(CloseCode::Away));
    while busy.event().await["type"] != "response.incomplete" {}
    assert_eq!(busy.closed().await, Some(CloseCode::Away));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_has_is_not_stored_again() {
    let rig = Rig::start().await;
    let mut client = open(&rig).await;
    let mut previous = Value::Null;
    for input in ["My name is Yve.", "Hm.", "What is my name?"] {
        let body = json!({"input": input, "previous_response_id": previous});
        let response = client.respond(body).await;
        previous = response["id"].clone();
    }
    let path = format!("/v1/responses/{}", previous.as_str().expect("an id"));
    let items = rig.get(&format!("{path}/input_items")).await.json();
    assert_eq!(items["data"].as_array().map(Vec::len), Some(1), "{items}");
    let body = json!({"input": "What is my name?", "previous_response_id": previous});
    assert_eq!(text(&rig.respond(body).await), "You are Yve.");
}

fn counts(rig: &Rig, line: &str) -> bool {
    rig.gateway.metrics().lines().any(|found| found == line)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_counted_whatever_becomes_of_them() {
    let rig = Rig::with("", 1.0).await;
    let mut client = open(&rig).await;
    client.say(Message::text("{")).await;
    assert_eq!(client.event().await["type"], "error");
    let old = client
        .refused(json!({"input": "Hi", "previous_response_id": "resp_none"}))
        .await;
    assert_eq!(code(&old).2, "previous_response_not_found");
    let row = |model: &str, status: u16, count: u64| {
        format!(
            "gateway_requests_total{{api=\"responses\",model=\"{model}\",status=\"{status}\"}} {count}"
        )
    };
    for line in [
        row("other", 400, 1),
        row("m", 400, 1),
        "gateway_rejected_total{reason=\"invalid\"} 2".to_owned(),
    ] {
        assert!(counts(&rig, &line), "{line}: {}", rig.gateway.metrics());
    }
    client.create(json!({"input": "Tell a long story"})).await;
    while client.event().await["type"] != "response.output_text.delta" {}
    drop(client);
    while !counts(&rig, &row("m", 200, 1)) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

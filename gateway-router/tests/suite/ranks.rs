//! Data-parallel ranks as endpoints: one address, one pool, a header and a part of the telemetry each.

use gateway_router::{EngineKind, Router, RouterSettings, Target};

use crate::common::{
    answerer::{Answerer, Came},
    rig::{self, text},
    within,
};

const CHAT: &str = "/v1/chat/completions";

fn answer(came: &Came) -> (u16, String) {
    let body = match &*came.path {
        "/metrics" => (0..2)
            .map(|rank| format!("vllm:num_requests_running{{engine=\"{rank}\"}} {}\n", 10 + rank))
            .collect(),
        CHAT => r#"{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#.to_owned(),
        "/kv_event_sources" => "{}".to_owned(),
        "/v1/models" => r#"{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}"#.to_owned(),
        _ => String::new(),
    };
    (200, body)
}

fn router(engine: &Answerer) -> Router {
    let rank = |number: u32| {
        let mut endpoint = rig::endpoint(["a", "b"][number as usize], engine.addr);
        endpoint.kind = EngineKind::Vllm;
        let address = Target::parse(&format!("http://{}", engine.addr)).expect("an address");
        endpoint.target = address.with_rank(number);
        endpoint
    };
    let settings = RouterSettings {
        endpoints: vec![rank(0), rank(1)],
        pipelines: rig::in_listed_order().into(),
        ..RouterSettings::default()
    };
    Router::builder().settings(settings).build().expect("valid")
}

#[tokio::test]
async fn each_rank_is_asked_by_header_over_shared_connections() {
    let engine = Answerer::start(answer).await;
    let router = router(&engine);
    for avoid in ["b", "a"] {
        let mut request = rig::request(false);
        request.hints.avoid = vec![avoid.into()];
        let reply = within(router.route(request)).await.expect("served");
        assert!(text(reply).await.contains("hi"));
    }
    let chats = engine.came(CHAT);
    let ranks: Vec<_> = chats
        .iter()
        .map(|came| came.header("x-data-parallel-rank"))
        .collect();
    assert_eq!(ranks, [Some("0"), Some("1")]);
    assert_eq!(chats[0].connection, chats[1].connection, "one pool");
}

#[tokio::test]
async fn each_rank_reads_its_own_series() {
    let engine = Answerer::start(answer).await;
    let router = router(&engine);
    let running = |name: &str| {
        let fleet = router.fleet();
        let reading = fleet.by_name(name).expect("listed").state().last_reading();
        reading.and_then(|(_, telemetry)| telemetry.running)
    };
    let both = async {
        while (running("a"), running("b")) != (Some(10), Some(11)) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    within(both).await;
}

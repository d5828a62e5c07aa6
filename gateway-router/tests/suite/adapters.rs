//! LoRA adapters: found, kept where they are, loaded on demand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use gateway_router::{
    AdapterSettings, EngineKind, ErrorKind, LoadableAdapter, RouteRequest, Router, RouterSettings,
    proto::openai::Api,
};

use crate::common::{
    answerer::{Answerer, Came},
    rig, within,
};

const CHAT: &str = "/v1/chat/completions";
const SQL: &str = r#",{"id":"sql","owned_by":"vllm","parent":"m"}"#;
const LOAD: &str = "/v1/load_lora_adapter";

/// An engine whose loading succeeds while `loads` is set, and which lists `listed` besides its model.
async fn engine(loads: &Arc<AtomicBool>, listed: &'static str) -> Answerer {
    let loads = Arc::clone(loads);
    let has = AtomicBool::new(false);
    let answer = move |came: &Came| {
        match &*came.path {
        LOAD if loads.load(SeqCst) && has.swap(true, SeqCst) => (400, "already loaded".to_owned()),
        LOAD if loads.load(SeqCst) => (200, "Success: LoRA adapter added successfully.".to_owned()),
        LOAD => (400, r#"{"error":{"message":"no such path"}}"#.to_owned()),
        "/v1/models" => {
            let loaded = if has.load(SeqCst) { SQL } else { "" };
            let listed = format!("{listed}{loaded}");
            (200, format!(r#"{{"object":"list","data":[{{"id":"m","owned_by":"vllm"}}{listed}]}}"#))
        }
        CHAT => (200, r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#.to_owned()),
        _ => (200, "{}".to_owned()),
    }
    };
    Answerer::start(answer).await
}

fn router(engines: &[&Answerer]) -> Router {
    let endpoints = rig::NAMES.iter().zip(engines).map(|(name, engine)| {
        let mut endpoint = rig::endpoint(name, engine.addr);
        endpoint.kind = EngineKind::Vllm;
        endpoint
    });
    let adapter = LoadableAdapter {
        model: "m".to_owned(),
        path: "/adapters/sql".to_owned(),
    };
    let settings = RouterSettings {
        endpoints: endpoints.collect(),
        adapters: AdapterSettings {
            loadable: [("sql".to_owned(), adapter)].into(),
            hold_failed: Duration::from_secs(3600),
            ..AdapterSettings::default()
        },
        ..RouterSettings::default()
    };
    Router::builder().settings(settings).build().expect("valid")
}

async fn ask(router: &Router, model: &str) -> Result<(), (ErrorKind, String)> {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hello"}}]}}"#);
    let request = RouteRequest::parse(Api::ChatCompletions, Bytes::from(body)).expect("good");
    match within(router.route(request)).await {
        Ok(_) => Ok(()),
        Err(error) => Err((error.kind(), error.to_api().message.to_string())),
    }
}

#[tokio::test]
async fn many_who_ask_for_an_adapter_have_it_loaded_once() {
    let loads = Arc::new(AtomicBool::new(true));
    let engine = engine(&loads, "").await;
    let router = router(&[&engine]);
    let asked = join_all((0..20).map(|_| ask(&router, "sql"))).await;
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    let loads = engine.came(LOAD);
    assert_eq!((loads.len(), engine.came(CHAT).len()), (1, 20));
    assert!(
        loads[0].body.contains(r#""lora_path":"/adapters/sql""#),
        "{}",
        loads[0].body
    );
    ask(&router, "m").await.expect("the model itself");
    assert_eq!(engine.came(LOAD).len(), 1);
}

#[tokio::test]
async fn an_adapter_stays_where_it_is_loaded() {
    let loads = Arc::new(AtomicBool::new(true));
    let (first, second) = (engine(&loads, "").await, engine(&loads, "").await);
    let router = router(&[&first, &second]);
    for _ in 0..10 {
        ask(&router, "sql").await.expect("served");
    }
    let count = |path| [first.came(path).len(), second.came(path).len()];
    let (mut loaded, mut served) = (count(LOAD), count(CHAT));
    loaded.sort_unstable();
    served.sort_unstable();
    assert_eq!((loaded, served), ([0, 1], [0, 10]));
}

#[tokio::test]
async fn an_adapter_that_cannot_be_loaded_is_a_clear_error_and_no_fault_of_the_engines() {
    let loads = Arc::new(AtomicBool::new(false));
    let engine = engine(&loads, "").await;
    let router = router(&[&engine]);
    for _ in 0..8 {
        let (kind, message) = ask(&router, "sql").await.expect_err("it cannot be loaded");
        assert_eq!(kind, ErrorKind::AdapterNotLoaded);
        assert!(message.contains("`sql`"), "{message}");
    }
    assert_eq!(engine.came(LOAD).len(), 1, "not asked again at once");
    ask(&router, "m").await.expect("the engine is well");
    let (kind, _) = ask(&router, "law").await.expect_err("nobody knows it");
    assert_eq!(kind, ErrorKind::UnknownModel);
}

#[tokio::test]
async fn adapters_that_an_engine_lists_are_found() {
    let loads = Arc::new(AtomicBool::new(false));
    let listed = r#",{"id":"law","owned_by":"vllm","parent":"m"}"#;
    let engine = engine(&loads, listed).await;
    let router = router(&[&engine]);
    let found = async {
        while !router.fleet().is_adapter("law") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(found).await;
    ask(&router, "law").await.expect("served");
    assert!(engine.came(LOAD).is_empty());
}

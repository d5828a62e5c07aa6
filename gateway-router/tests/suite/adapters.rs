//! LoRA adapters: found, kept where they are, loaded on demand.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use gateway_router::{
    AdapterSettings, EngineKind, ErrorKind, LoadableAdapter, RouteRequest, Router, RouterSettings,
    WatchSettings, proto::openai::Api,
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

/// vLLM's page of an engine with two places, both taken by these.
fn page(running: &str) -> String {
    format!(
        "vllm:num_requests_running{{engine=\"0\"}} 2.0\nvllm:num_requests_waiting{{engine=\"0\"}} 0.0\n\
         vllm:lora_requests_info{{max_lora=\"2\",running_lora_adapters=\"\",waiting_lora_adapters=\"\"}} 1.7e+09\n\
         vllm:lora_requests_info{{max_lora=\"2\",running_lora_adapters=\"{running}\",waiting_lora_adapters=\"\"}} 1.8e+09\n"
    )
}

/// An engine that has all adapters and computes for `running`, or does not say.
async fn busy(running: &Arc<Mutex<Option<&'static str>>>) -> Answerer {
    let running = Arc::clone(running);
    let answer = move |came: &Came| {
        match (&*came.path, *running.lock().expect("whole")) {
        ("/metrics", Some(names)) => (200, page(names)),
        ("/metrics", None) => (500, String::new()),
        ("/v1/models", _) => (200, format!(r#"{{"object":"list","data":[{{"id":"m","owned_by":"vllm"}}{SQL}]}}"#)),
        (CHAT, _) => (200, r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#.to_owned()),
        ("/health", _) => (200, String::new()),
        _ => (404, "{}".to_owned()),
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
        watch: WatchSettings {
            telemetry_every: Duration::from_millis(20),
            ..WatchSettings::default()
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

#[tokio::test]
async fn an_engine_whose_places_other_adapters_take_is_spared_until_one_is_free() {
    let running = [Some("law,chess"), Some("law,sql")].map(|names| Arc::new(Mutex::new(names)));
    let engines = [busy(&running[0]).await, busy(&running[1]).await];
    let router = router(&[&engines[0], &engines[1]]);
    let told = |at: usize, full: Option<bool>| {
        let router = &router;
        async move {
            let fleet = router.fleet();
            let adapters = fleet.endpoints()[at].state().adapters();
            let is_told = || {
                adapters.has("sql")
                    && full.is_none_or(|full| {
                        adapters.usage().is_some() && adapters.is_full_for("sql") == full
                    })
            };
            while !is_told() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    within(told(0, Some(true))).await;
    within(told(1, Some(false))).await;
    let served = || [&engines[0], &engines[1]].map(|engine| engine.came(CHAT).len());
    for _ in 0..10 {
        ask(&router, "sql").await.expect("served");
    }
    assert_eq!(served(), [0, 10], "the first one's places are taken");
    *running[0].lock().expect("whole") = Some("law");
    *running[1].lock().expect("whole") = Some("law,chess");
    within(told(0, Some(false))).await;
    within(told(1, Some(true))).await;
    for _ in 0..10 {
        ask(&router, "sql").await.expect("served");
    }
    assert_eq!(served(), [10, 10]);
    // What cannot be read is not held against it, and both serve other models as ever.
    *running[1].lock().expect("whole") = None;
    let silent = async {
        let fleet = router.fleet();
        while fleet.endpoints()[1].state().adapters().usage().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within(silent).await;
}

//! Prefill engines with several data-parallel ranks, over real sockets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use gateway_router::{
    EndpointSettings, EngineKind, Router, RouterSettings, Target, TransferSettings,
    core::{
        Pipelines, Registry, Role, Stage,
        pipeline::{ModelPipelines, PipelinesSpec, SplitRule},
    },
    proto::engines::transfer::Connector,
};
use serde_json::Value;

use crate::common::{
    answerer::{Answerer, Came},
    rig::{self, text},
    within,
};

const CHAT: &str = "/v1/chat/completions";
const QUERY: &str = "/query";
const HI: &str = r#"{"choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;

/// What engines do beside what they always do.
#[derive(Default)]
struct Conduct {
    /// Decode legs fail.
    fails: AtomicBool,
    /// Prompt tokens since the process began.
    counted: AtomicU64,
}

async fn engine(conduct: &Arc<Conduct>) -> Answerer {
    let conduct = Arc::clone(conduct);
    let answer = move |came: &Came| match &*came.path {
        QUERY => {
            let ranks = r#"{"0":{"engine_id":"e0","worker_addr":"w"},"1":{"engine_id":"e1","worker_addr":"w"}}"#;
            (200, ranks.to_owned())
        }
        CHAT if conduct.fails.load(SeqCst) && came.body.contains("remote_engine_id") => {
            (500, r#"{"error":{"message":"who is that?"}}"#.to_owned())
        }
        CHAT => (200, HI.to_owned()),
        "/metrics" => {
            let counted = conduct.counted.load(SeqCst);
            (
                200,
                format!("vllm:prompt_tokens_total{{engine=\"0\"}} {counted}\n"),
            )
        }
        "/v1/models" => (200, r#"{"object":"list","data":[{"id":"m"}]}"#.to_owned()),
        _ => (200, "{}".to_owned()),
    };
    Answerer::start(answer).await
}

/// Two engines: one that prefills, as the endpoints `p/0` and `p/1` where it has `ranks`, and one that decodes.
struct Two {
    router: Router,
    prefill: Answerer,
    decode: Answerer,
}

impl Two {
    async fn start(connector: Connector, ranks: bool, conduct: &Arc<Conduct>) -> Self {
        let (prefill, decode) = (engine(conduct).await, engine(conduct).await);
        let kind = match connector {
            Connector::Sglang => EngineKind::Sglang,
            _ => EngineKind::Vllm,
        };
        let half = |name: &str, role, engine: &Answerer| {
            let mut endpoint: EndpointSettings = rig::endpoint(name, engine.addr);
            (endpoint.kind, endpoint.spec.role) = (kind, role);
            let mut by = TransferSettings::new(connector);
            by.bootstrap.1 = Some(engine.addr.port());
            endpoint.transfer = Some(by);
            endpoint
        };
        let mut endpoints = vec![half("d", Role::Decode, &decode)];
        if ranks {
            let address = Target::parse(&format!("http://{}", prefill.addr)).expect("an address");
            for rank in 0..2 {
                let mut one = half(&format!("p/{rank}"), Role::Prefill, &prefill);
                one.target = address.with_rank(rank);
                endpoints.push(one);
            }
        } else {
            endpoints.push(half("p", Role::Prefill, &prefill));
        }
        let router = Router::builder().settings(settings(endpoints)).build();
        Self {
            router: router.expect("valid"),
            prefill,
            decode,
        }
    }

    async fn ask(&self, avoid: &str) {
        let mut request = rig::request(false);
        request.hints.avoid = vec![avoid.into()];
        let reply = within(self.router.route(request)).await.expect("served");
        assert!(text(reply).await.contains("hi"));
    }
}

impl Two {
    /// The prefill legs, once there are so many: the decode leg's answer does not wait for them.
    async fn prefills(&self, count: usize) -> Vec<Came> {
        let all = async {
            loop {
                let came = self.prefill.came(CHAT);
                if came.len() >= count {
                    return came;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within(all).await
    }
}

fn settings(endpoints: Vec<EndpointSettings>) -> RouterSettings {
    let spec = PipelinesSpec {
        split: Some(SplitRule::Always),
        ..PipelinesSpec::default()
    };
    let pipelines = ModelPipelines::build(&Registry::builtin(), &spec).expect("valid");
    let mut settings = RouterSettings {
        endpoints,
        pipelines: Pipelines::new(pipelines.with(Stage::Unified, rig::in_listed_order())),
        ..RouterSettings::default()
    };
    settings.watch.telemetry_every = Duration::from_millis(20);
    settings
}

fn body(came: &Came) -> Value {
    serde_json::from_str(&came.body).expect("JSON")
}

#[tokio::test]
async fn mooncakes_legs_agree_on_the_rank_and_its_engine_is_asked_once() {
    let two = Two::start(Connector::Mooncake, true, &Arc::default()).await;
    for avoid in ["p/1", "p/0", "p/1", "p/0"] {
        two.ask(avoid).await;
    }
    let prefills = two.prefills(4).await;
    let ranks: Vec<_> = prefills
        .iter()
        .map(|came| came.header("x-data-parallel-rank"))
        .collect();
    assert_eq!(ranks, [Some("0"), Some("1"), Some("0"), Some("1")]);
    let decodes = two.decode.came(CHAT);
    let engines: Vec<_> = decodes
        .iter()
        .map(|came| body(came)["kv_transfer_params"]["remote_engine_id"].clone())
        .collect();
    assert_eq!(engines, ["e0", "e1", "e0", "e1"]);
    assert_eq!(two.prefill.came(QUERY).len(), 2, "each endpoint once");
}

#[tokio::test]
async fn an_engine_that_is_one_endpoint_has_its_ranks_take_turns() {
    let two = Two::start(Connector::Mooncake, false, &Arc::default()).await;
    for _ in 0..16 {
        two.ask("").await;
    }
    let (prefills, decodes) = (two.prefills(16).await, two.decode.came(CHAT));
    let ranks = prefills.iter().filter_map(|came| {
        let transfer = body(came)["kv_transfer_params"]["transfer_id"].to_string();
        Some((transfer, came.header("x-data-parallel-rank")?.to_owned()))
    });
    let ranks: std::collections::HashMap<_, _> = ranks.collect();
    assert_eq!(ranks.len(), 16);
    for decode in &decodes {
        let params = body(decode)["kv_transfer_params"].clone();
        let rank = &ranks[&params["transfer_id"].to_string()];
        assert_eq!(params["remote_engine_id"], format!("e{rank}"));
    }
    let first = ranks.values().filter(|rank| *rank == "0").count();
    assert!((1..16).contains(&first), "{first} of 16 at rank 0");
}

#[tokio::test]
async fn who_an_engine_is_is_asked_anew_after_a_failure_and_after_a_restart() {
    let conduct = Arc::<Conduct>::default();
    conduct.counted.store(1_000, SeqCst);
    let two = Two::start(Connector::Mooncake, false, &conduct).await;
    let asked = || two.prefill.came(QUERY).len();
    two.ask("").await;
    two.ask("").await;
    assert_eq!(asked(), 1);
    conduct.fails.store(true, SeqCst);
    two.ask("").await;
    conduct.fails.store(false, SeqCst);
    let anew = async {
        while asked() < 2 {
            two.ask("").await;
        }
    };
    within(anew).await;
    while two.prefill.came("/metrics").len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    conduct.counted.store(1, SeqCst);
    let restarted = async {
        while asked() < 3 {
            two.ask("").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(restarted).await;
}

#[tokio::test]
async fn sglangs_decode_leg_knows_the_rank_and_the_room_lies_there() {
    let two = Two::start(Connector::Sglang, true, &Arc::default()).await;
    for (at, avoid) in ["p/1", "p/0"].into_iter().enumerate() {
        two.ask(avoid).await;
        let rank = at as u64;
        let (prefills, decodes) = (two.prefills(at + 1).await, two.decode.came(CHAT));
        let (prefill, decode) = (
            prefills.last().expect("came"),
            decodes.last().expect("came"),
        );
        let header = prefill.header("x-data-parallel-rank");
        assert_eq!(header, Some(&*rank.to_string()));
        let (prefill, decode) = (body(prefill), body(decode));
        assert_eq!(decode["disagg_prefill_dp_rank"], rank);
        assert_eq!(prefill.get("disagg_prefill_dp_rank"), None);
        assert_eq!(prefill["bootstrap_room"], decode["bootstrap_room"]);
        let room = prefill["bootstrap_room"].as_u64().expect("a number");
        assert_eq!(room % 2, rank);
    }
}

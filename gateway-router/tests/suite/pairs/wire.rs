//! Over real sockets, between simulated engines that hand their caches over as the real ones do.

use bytes::Bytes;
use gateway_router::{
    EngineKind, RouteRequest, TokenRequest, TokenStep, TransferSettings,
    core::Role,
    proto::{
        engines::{TokenCall, transfer::Connector},
        openai::Api,
    },
};
use gateway_sim::engine::{
    Connector as SimConnector, FaultKind, FaultSpec, Flavour, RunningEngine, SimConfig,
    TransferConfig, TransferRole,
};

use super::engine::Act;
use super::rig::settings;
use crate::common::{
    rig::{self, Rig},
    sim, within,
};

/// A prefill engine, a decode engine, and one that knows nothing of pairs.
pub(super) struct Bench {
    connector: Connector,
    pub(super) p1: RunningEngine,
    pub(super) d1: RunningEngine,
    pub(super) u: RunningEngine,
    pub(super) rig: Rig,
}

fn flavour(connector: Connector) -> (Flavour, EngineKind) {
    match connector {
        Connector::Sglang => (Flavour::Sglang, EngineKind::Sglang),
        Connector::TrtLlm => (Flavour::Trtllm, EngineKind::TensorRtLlm),
        Connector::MindIe => (Flavour::Mindie, EngineKind::Mindie),
        _ => (Flavour::Vllm, EngineKind::Vllm),
    }
}

async fn engine(connector: Connector, role: TransferRole, takes_part: bool) -> RunningEngine {
    let by = match connector {
        Connector::Mooncake => SimConnector::Mooncake,
        _ => SimConnector::Nixl,
    };
    let transfer = TransferConfig {
        role,
        connector: by,
        ..TransferConfig::default()
    };
    sim::start_with(|config: &mut SimConfig| {
        config.flavour = flavour(connector).0;
        config.transfer = takes_part.then_some(transfer);
    })
    .await
}

impl Bench {
    pub(super) async fn new(connector: Connector) -> Self {
        let p1 = engine(connector, TransferRole::Prefill, true).await;
        let d1 = engine(connector, TransferRole::Decode, true).await;
        let u = engine(connector, TransferRole::Any, false).await;
        let parts = [("p1", Act::Serve), ("d1", Act::Serve), ("u", Act::Serve)];
        let mut told = settings(connector, &parts);
        for (endpoint, engine) in told.endpoints.iter_mut().zip([&p1, &d1, &u]) {
            endpoint.target = sim::target(engine);
            endpoint.kind = flavour(connector).1;
        }
        let mut by = TransferSettings::new(connector);
        assert_eq!(told.endpoints[0].spec.role, Role::Prefill);
        // Who is found by the other: the prefill engine, but MindIE's hands over by itself.
        let (at, found) = match connector {
            Connector::MindIe => (1, &d1),
            _ => (0, &p1),
        };
        by.bootstrap.1 = found.transfer_addr().map(|addr| addr.port());
        told.endpoints[at].transfer = Some(by);
        let rig = Rig::with(told);
        Self {
            connector,
            p1,
            d1,
            u,
            rig,
        }
    }

    pub(super) async fn ids(&self, number: u32) -> (Vec<u32>, String) {
        ids_of(&self.rig, self.connector, number).await
    }

    /// No engine holds anything that nobody will fetch, and none answered from the wrong blocks.
    pub(super) fn assert_clean(&self) {
        for engine in [&self.p1, &self.d1, &self.u] {
            let stats = engine.stats();
            assert_eq!((stats.blocks_held, stats.handoffs_held), (0, 0));
            assert_eq!(stats.pulls_spoilt, 0);
        }
        self.rig.assert_idle();
    }
}

/// What an engine says to a text, and how it came about. The simulated TensorRT-LLM hands over completions alone.
pub(super) async fn words(
    rig: &Rig,
    connector: Connector,
    number: u32,
    stream: bool,
) -> (String, String) {
    let words = format!("question {number} ").repeat(40);
    let (api, prompt) = if connector == Connector::TrtLlm {
        (Api::Completions, format!(r#""prompt":"{words}""#))
    } else {
        let messages = format!(r#""messages":[{{"role":"user","content":"{words}"}}]"#);
        (Api::ChatCompletions, messages)
    };
    let body =
        format!(r#"{{"model":"m","stream":{stream},"max_tokens":20,"temperature":0,{prompt}}}"#);
    let request = RouteRequest::parse(api, Bytes::from(body)).expect("good");
    let reply = within(rig.router.route(request)).await.expect("served");
    let pair = reply.pair.as_ref().map(ToString::to_string);
    (content(&rig::text(reply).await), pair.unwrap_or_default())
}

pub(super) async fn ids_of(rig: &Rig, connector: Connector, number: u32) -> (Vec<u32>, String) {
    let prompt: Vec<u32> = (0..200).map(|at| 1_000 + number * 300 + at).collect();
    let mut call = TokenCall::new("m", prompt, 20);
    // MindIE has no word for it.
    call.sampling.ignore_eos = (connector != Connector::MindIe).then_some(true);
    let request = TokenRequest::new(Api::ChatCompletions, call);
    let mut reply = within(rig.router.generate(request)).await.expect("served");
    let pair = reply.pair.as_ref().map(ToString::to_string);
    let mut ids = Vec::new();
    while let Some(step) = within(reply.events.next()).await {
        match step {
            TokenStep::Event(event) => ids.extend(event.ids),
            TokenStep::Done { .. } => {}
            TokenStep::Failed(error) => panic!("{error}"),
        }
    }
    (ids, pair.unwrap_or_default())
}

/// What a chat says, streamed or whole.
fn content(text: &str) -> String {
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let mut parts: Vec<&str> = events.filter(|data| *data != "[DONE]").collect();
    if parts.is_empty() {
        parts.push(text);
    }
    let said = parts.into_iter().map(|part| {
        let part: serde_json::Value = serde_json::from_str(part).expect("JSON");
        let choice = &part["choices"][0];
        let words = choice["delta"]["content"].as_str();
        let words = words.or_else(|| choice["message"]["content"].as_str());
        let words = words.or_else(|| choice["text"].as_str());
        words.unwrap_or_default().to_owned()
    });
    said.collect()
}

#[tokio::test]
async fn answers_are_those_of_one_engine_and_nothing_is_left_behind() {
    for connector in Connector::ALL {
        let bench = Bench::new(connector).await;
        let mut alone = rig::settings(&[bench.u.addr()]);
        alone.endpoints[0].kind = flavour(connector).1;
        let alone = Rig::with(alone);
        for number in 0..3 {
            let (text, told) = words(&bench.rig, connector, number, number % 2 == 0).await;
            assert_eq!(told, "split", "{connector:?}");
            assert_eq!(
                text,
                words(&alone, connector, number, true).await.0,
                "{connector:?}"
            );
            assert!(!text.is_empty());
            let (ids, told) = bench.ids(number).await;
            assert_eq!(told, "split", "{connector:?}");
            let is_full = ids.len() == 20 || connector == Connector::MindIe;
            assert!(is_full && ids.len() > 1, "{connector:?}: {ids:?}");
            assert_eq!(
                ids,
                ids_of(&alone, connector, number).await.0,
                "{connector:?}"
            );
        }
        assert_eq!(bench.d1.stats().pulls, 6, "{connector:?}");
        bench.assert_clean();
    }
}

#[tokio::test]
async fn a_transfer_that_fails_on_either_leg_is_served_whole() {
    for connector in Connector::ALL {
        for at_prefill in [true, false] {
            let bench = Bench::new(connector).await;
            let (expected, _) = bench.ids(7).await;
            let faulty = if at_prefill { &bench.p1 } else { &bench.d1 };
            faulty.inject(FaultSpec::new(FaultKind::TransferFailed));
            let (ids, told) = bench.ids(7).await;
            assert!(told.starts_with("s"), "{told}");
            assert_eq!(ids, expected, "{connector:?} {at_prefill}: {told}");
        }
    }
}

#[tokio::test]
async fn a_prefill_engine_that_dies_is_done_without() {
    for connector in Connector::ALL {
        let bench = Bench::new(connector).await;
        let (expected, _) = bench.ids(3).await;
        let Bench { p1, d1, u, rig, .. } = bench;
        drop(p1);
        let p1 = engine(connector, TransferRole::Prefill, true).await;
        let bench = Bench {
            connector,
            p1,
            d1,
            u,
            rig,
        };
        let (ids, told) = bench.ids(3).await;
        assert!(
            told.starts_with("single_phase; reason="),
            "{connector:?}: {told}"
        );
        assert_eq!(ids, expected, "{connector:?}");
        bench.assert_clean();
    }
}

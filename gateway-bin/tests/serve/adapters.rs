//! LoRA adapters and data-parallel ranks of simulated engines.

use gateway_bin::Options;
use gateway_sim::{
    engine::{RunningEngine, SimConfig, SimEngine},
    model::ChipProfile,
};

use crate::{
    rig::{self, KEY},
    wire::{self, Reply},
};

async fn engine(change: impl FnOnce(&mut SimConfig)) -> RunningEngine {
    let chip = ChipProfile::named("8b-h100").expect("a known chip");
    let mut config = SimConfig {
        time_scale: 100.0,
        ..SimConfig::new("m", chip)
    };
    change(&mut config);
    SimEngine::start(config).await.expect("an engine")
}

async fn chat(gateway: &gateway_bin::Running, model: &str) -> Reply {
    let body = rig::CHAT.replace("\"m\"", &format!("\"{model}\""));
    let bearer = format!("Bearer {KEY}");
    let headers = [("authorization", &*bearer)];
    let request = wire::request("POST", "/v1/chat/completions", &headers, body.as_bytes());
    wire::exchange(gateway.addr(), &request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn adapters_are_found_and_loaded_on_demand() {
    let engines = [engine(|config| config.adapters = vec!["law".to_owned()]).await];
    let more = "adapters: [{name: sql, model: m, path: /adapters/sql}]\n";
    let gateway = rig::start(&rig::yaml(&engines, "", more), Options::default()).await;
    for model in ["m", "law", "sql", "sql"] {
        let reply = chat(&gateway, model).await;
        assert_eq!(reply.status, 200, "{model}: {reply:?}");
    }
    assert_eq!(chat(&gateway, "chess").await.status, 404);
    let listed = wire::get(gateway.addr(), "/v1/models", &[("x-api-key", KEY)])
        .await
        .json();
    let cards = listed["data"].as_array().expect("a list").iter();
    let cards: Vec<_> = cards
        .map(|card| (card["id"].as_str(), card["parent"].as_str()))
        .collect();
    let expected = [("law", Some("m")), ("m", None), ("sql", Some("m"))];
    assert_eq!(cards, expected.map(|(id, parent)| (Some(id), parent)));
}

#[tokio::test(flavor = "multi_thread")]
async fn ranks_of_one_server_are_endpoints() {
    let engines = [engine(|config| config.dp_ranks = 2).await];
    let text =
        rig::yaml(&engines, "", "").replace("{name: e0,", "{name: e0, data_parallel_ranks: 2,");
    let gateway = rig::start(&text, Options::default()).await;
    let asked = (0..8).map(|_| chat(&gateway, "m"));
    for reply in futures_util::future::join_all(asked).await {
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let metrics = gateway.metrics();
    for name in ["e0/0", "e0/1"] {
        let served =
            format!("gateway_endpoint_requests_total{{endpoint=\"{name}\",outcome=\"completed\"}}");
        assert!(metrics.contains(&served), "{name}\n{metrics}");
    }
}

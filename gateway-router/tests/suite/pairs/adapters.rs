//! LoRA adapters: both engines of a pair have the one that is asked for before either is asked for work.

use bytes::Bytes;
use gateway_router::{
    AdapterSettings, EngineKind, LoadableAdapter, RouteRequest,
    proto::{engines::transfer::Connector, openai::Api},
};

use super::{
    engine::{Act, lock},
    rig::{self as pairs, PairRig, Part},
};
use crate::common::{rig, within};

fn serving(connector: Connector, parts: &[Part]) -> PairRig {
    let mut settings = pairs::settings(connector, parts);
    for endpoint in &mut settings.endpoints {
        endpoint.kind = EngineKind::Vllm;
    }
    let adapter = LoadableAdapter {
        model: "m".to_owned(),
        path: "/adapters/sql".to_owned(),
    };
    settings.adapters = AdapterSettings {
        loadable: [("sql".to_owned(), adapter)].into(),
        ..AdapterSettings::default()
    };
    PairRig::of(settings, parts)
}

/// Asks the adapter `model`, and gives how it was served.
async fn ask(rig: &PairRig, model: &str) -> String {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#);
    let request = RouteRequest::parse(Api::ChatCompletions, Bytes::from(body)).expect("good");
    let reply = within(rig.rig.router.route(request)).await.expect("served");
    let told = reply.pair.as_ref().map(|pair| format!("{pair:#}"));
    rig::text(reply).await;
    told.unwrap_or_default()
}

fn loads(rig: &PairRig) -> Vec<&'static str> {
    let legs = rig.legs().into_iter();
    legs.filter(|(_, kind)| *kind == "load")
        .map(|(name, _)| name)
        .collect()
}

const FOUR: [Part; 4] = [
    ("p1", Act::Serve),
    ("p2", Act::Serve),
    ("d1", Act::Serve),
    ("d2", Act::Serve),
];

#[tokio::test(start_paused = true)]
async fn both_engines_load_it_before_they_work_and_keep_it() {
    for connector in [Connector::Nixl, Connector::Mooncake] {
        let rig = serving(connector, &FOUR);
        let first = ask(&rig, "sql").await;
        assert!(first.starts_with("split; pair=p"), "{first}");
        let legs = rig.legs();
        let kinds: Vec<_> = legs.iter().map(|(_, kind)| *kind).collect();
        assert_eq!(kinds[..2], ["load", "load"], "{connector:?}: {legs:?}");
        let (pair, _) = first[12..].split_once(';').expect("a connector");
        assert_eq!(loads(&rig).join(">"), pair.trim_start_matches("pair="));
        for _ in 0..10 {
            assert_eq!(
                ask(&rig, "sql").await,
                first,
                "they have it, so they get it"
            );
        }
        assert_eq!(loads(&rig).len(), 2, "{connector:?}");
        assert!(
            ask(&rig, "m").await.starts_with("split"),
            "the model itself"
        );
        assert_eq!(loads(&rig).len(), 2, "{connector:?}");
        rig.assert_idle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_cannot_load_it_is_done_without() {
    let refusals = [
        ("p1", "split; pair=p2>"),
        ("d1", "single_phase; reason=decode_failed"),
    ];
    for (name, expected) in refusals {
        let parts = if name == "p1" {
            vec![FOUR[0], FOUR[1], FOUR[2]]
        } else {
            vec![FOUR[0], FOUR[2], ("u", Act::Serve)]
        };
        let rig = serving(Connector::Nixl, &parts);
        lock(&rig.world).unloadable.insert(name);
        // Either prefill engine may be asked first.
        let told = ask(&rig, "sql").await;
        assert!(told.starts_with(expected), "without {name}: {told}");
        let worked = rig.legs().into_iter().filter(|(_, kind)| *kind != "load");
        assert!(
            worked.clone().all(|(leg, _)| leg != name),
            "{name} works without: {:?}",
            rig.legs()
        );
        rig.note_health(&parts);
        assert!(rig.health(name).is_up(), "it is well");
        rig.assert_idle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_engines_list_later_is_served_by_pairs_too() {
    let rig = PairRig::new(Connector::Nixl, &FOUR);
    for endpoint in rig.rig.router.fleet().endpoints() {
        endpoint.state().adapters().add("law");
    }
    assert!(ask(&rig, "law").await.starts_with("split"));
    assert_eq!(loads(&rig), [""; 0]);
}

//! What the settings say: who serves where there is no pair, and what is not split at all.

use std::time::Duration;

use bytes::Bytes;
use gateway_router::{
    ErrorKind, Fallback, RouteRequest,
    core::{Role, pipeline::SplitRule},
    proto::{engines::transfer::Connector, openai::Api},
};

use tokio::time::{sleep, timeout};

use super::{
    engine::{Act, lock},
    rig::{PairRig, Part, settings},
};
use crate::common::{rig, within};

#[tokio::test(start_paused = true)]
async fn with_one_role_alone_it_serves_end_to_end_unless_told_otherwise() {
    for name in ["p1", "d1"] {
        let parts = [(name, Act::Serve)];
        let rig = PairRig::new(Connector::Nixl, &parts);
        assert_eq!(rig.stream().await.expect("served"), "Hello");
        assert_eq!(rig.legs(), [(name, "whole")]);
        assert_eq!(rig.told(), "single_phase; reason=no_pair");
        for fallback in [Fallback::Never, Fallback::CombinedPool] {
            let rig = PairRig::with(Connector::Nixl, &parts, fallback);
            let error = rig.stream().await.expect_err("nobody may");
            assert_eq!(error.kind(), ErrorKind::NoEndpoint, "{fallback:?}");
            assert_eq!(rig.legs(), []);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failed_pairs_are_followed_by_what_the_policy_allows() {
    let parts: [Part; 4] = [
        ("p1", Act::Answer(500)),
        ("d1", Act::Serve),
        ("d2", Act::Serve),
        ("u", Act::Serve),
    ];
    let rig = PairRig::with(Connector::Nixl, &parts, Fallback::CombinedPool);
    assert_eq!(rig.stream().await.expect("served"), "Hello");
    assert_eq!(rig.legs().pop(), Some(("u", "whole")));
    let rig = PairRig::with(Connector::Nixl, &parts, Fallback::Never);
    let error = rig.stream().await.expect_err("told");
    assert_eq!(
        error.kind(),
        ErrorKind::EngineFailed,
        "what the engine said"
    );
    assert_eq!(rig.legs(), [("p1", "prefill")]);
    rig.assert_idle().await;
}

#[tokio::test(start_paused = true)]
async fn engines_that_do_everything_are_lent_to_pairs_only_where_they_hand_over() {
    let parts = [("u", Act::Serve), ("p1", Act::Serve), ("d1", Act::Serve)];
    let rig = PairRig::new(Connector::Nixl, &parts);
    rig.stream().await.expect("served");
    assert_eq!(rig.legs(), [("p1", "prefill"), ("d1", "decode")]);
    let mut both = settings(Connector::Nixl, &parts);
    both.endpoints[0].transfer = both.endpoints[1].transfer.clone();
    let rig = PairRig::of(both, &parts);
    rig.stream().await.expect("served");
    assert_eq!(rig.legs(), [("p1", "prefill"), ("u", "decode")]);
}

#[tokio::test(start_paused = true)]
async fn connectors_that_differ_are_no_pair() {
    let parts = [("p1", Act::Serve), ("d1", Act::Serve)];
    let mut settings = settings(Connector::Nixl, &parts);
    let other = gateway_router::TransferSettings::new(Connector::Mooncake);
    settings.endpoints[0].transfer = Some(other);
    let rig = PairRig::of(settings, &parts);
    assert_eq!(rig.stream().await.expect("served"), "Hello");
    assert_eq!(rig.legs(), [("d1", "whole")]);
    assert_eq!(rig.told(), "single_phase; reason=no_pair");
}

/// The legs of a chat with these members besides the usual ones.
async fn legs_of(api: Api, body: &str) -> Vec<(&'static str, &'static str)> {
    let rig = PairRig::new(Connector::Nixl, &[("p1", Act::Serve), ("d1", Act::Serve)]);
    let request = RouteRequest::parse(api, Bytes::from(body.to_owned())).expect("good");
    let reply = within(rig.rig.router.route(request)).await.expect("served");
    rig::text(reply).await;
    rig.assert_idle().await;
    rig.legs()
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_split_is_served_whole() {
    let chat = |more: &str| {
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}]{more}}}"#)
    };
    let completion = |prompt: &str| format!(r#"{{"model":"m","prompt":{prompt}}}"#);
    let split = [("p1", "prefill"), ("d1", "decode")];
    let cases = [
        (Api::ChatCompletions, chat(""), true),
        (Api::ChatCompletions, chat(r#","n":2"#), false),
        (Api::ChatCompletions, chat(r#","max_tokens":1"#), false),
        (Api::ChatCompletions, chat(r#","max_tokens":2"#), true),
        (Api::Completions, completion(r#""hi""#), true),
        (Api::Completions, completion("[1,2]"), true),
        (Api::Completions, completion(r#"["hi"]"#), false),
        (Api::Completions, completion("[[1],[2]]"), false),
        // In its own words: engines take no part of a hand-over with them.
        (Api::Messages, chat(r#","max_tokens":9"#), false),
    ];
    for (api, body, is_split) in cases {
        let legs = legs_of(api, &body).await;
        let expected = if is_split {
            &split[..]
        } else {
            &[("d1", "whole")][..]
        };
        assert_eq!(legs, expected, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn prompts_below_the_bound_are_not_split() {
    let parts = [("p1", Act::Serve), ("d1", Act::Serve)];
    for (most, expected) in [(0, 2), (1_000, 1)] {
        let mut settings = settings(Connector::Nixl, &parts);
        let spec = gateway_router::core::pipeline::PipelinesSpec {
            split: Some(SplitRule::AboveUncachedTokens(most)),
            ..Default::default()
        };
        let registry = gateway_router::core::Registry::builtin();
        let built = gateway_router::core::pipeline::ModelPipelines::build(&registry, &spec);
        let built = built
            .expect("valid")
            .with(gateway_router::core::Stage::Unified, rig::in_listed_order());
        settings.pipelines = gateway_router::core::Pipelines::new(built);
        let rig = PairRig::of(settings, &parts);
        rig.stream().await.expect("served");
        assert_eq!(rig.legs().len(), expected, "above {most}");
        assert_eq!(rig.told(), if expected == 2 { "split" } else { "none" });
    }
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_one_engine_had_first_is_split_once_others_have_it() {
    let parts = [("p1", Act::Serve), ("d1", Act::Serve)];
    let mut told = settings(Connector::Nixl, &parts);
    told.endpoints[0].spec.adapters.push("law".to_owned());
    let rig = PairRig::of(told, &parts);
    lock(&rig.world).adapters.push("law".to_owned());
    let found = async {
        let fleet = rig.rig.router.fleet();
        let decode = fleet.by_name("d1").expect("listed");
        while !decode.has_adapter("law") {
            sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(Duration::from_secs(600), found)
        .await
        .expect("engines are asked now and then");
    let body = r#"{"model":"law","messages":[{"role":"user","content":"hi"}]}"#;
    let request = RouteRequest::parse(Api::ChatCompletions, Bytes::from(body)).expect("good");
    within(rig.rig.router.route(request)).await.expect("served");
    assert_eq!(rig.legs(), [("p1", "prefill"), ("d1", "decode")]);
}

#[tokio::test(start_paused = true)]
async fn fleets_without_halves_know_nothing_of_pairs() {
    let parts = [("u", Act::Serve)];
    let plain = settings(Connector::Nixl, &parts);
    assert_eq!(plain.endpoints[0].spec.role, Role::Unified);
    let rig = PairRig::of(plain, &parts);
    rig.stream().await.expect("served");
    assert_eq!(
        (rig.legs(), rig.told()),
        (vec![("u", "whole")], "none".to_owned())
    );
}

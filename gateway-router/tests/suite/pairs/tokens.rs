//! The same by tokens: the hand-over is beside the call, whatever the engine's wire.

use gateway_router::{
    RouteError, TokenRequest, TokenStep,
    proto::{
        engines::{TokenCall, transfer::Connector},
        openai::Api,
    },
};

use super::{
    engine::{Act, lock},
    ids::HELLO,
    rig::{PairRig, Part},
};
use crate::common::within;

/// The ids of one call.
async fn ids(rig: &PairRig, call: TokenCall) -> Result<Vec<u32>, RouteError> {
    let request = TokenRequest::new(Api::ChatCompletions, call);
    let mut reply = within(rig.rig.router.generate(request)).await?;
    let mut ids = Vec::new();
    while let Some(step) = within(reply.events.next()).await {
        match step {
            TokenStep::Event(event) => ids.extend(event.ids),
            TokenStep::Done { .. } => {}
            TokenStep::Failed(error) => return Err(error),
        }
    }
    Ok(ids)
}

fn call() -> TokenCall {
    TokenCall::new("m", [1, 2, 3].as_slice(), 3)
}

async fn one(connector: Connector, parts: &[Part]) -> PairRig {
    let rig = PairRig::new(connector, parts);
    let shown = format!("{connector:?} {parts:?}");
    assert_eq!(ids(&rig, call()).await.expect(&shown), HELLO, "{shown}");
    rig.assert_idle().await;
    rig
}

#[tokio::test(start_paused = true)]
async fn a_pair_serves_what_is_well() {
    for connector in Connector::ALL {
        let rig = one(connector, &[("p1", Act::Serve), ("d1", Act::Serve)]).await;
        assert_eq!(rig.told(), "split", "{connector:?}");
        let asked: Vec<_> = lock(&rig.world)
            .bodies
            .iter()
            .map(|body| (body["asked"].as_u64(), body["stream"].as_bool()))
            .collect();
        let prefill = match connector {
            Connector::Nixl | Connector::Mooncake => (Some(1), Some(false)),
            Connector::TrtLlm | Connector::Sglang => (Some(3), Some(false)),
            Connector::MindIe => (Some(3), Some(true)),
        };
        assert_eq!(asked, [prefill, (Some(3), Some(true))], "{connector:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_that_was_handed_over_as_ids_is_given_where_the_route_of_tokens_takes_it() {
    let parts = [("p1", Act::Serve), ("d1", Act::Serve)];
    let rig = one(Connector::TrtLlm, &parts).await;
    let bodies = &lock(&rig.world).bodies;
    let decode = bodies[1].as_object().expect("an object");
    assert_eq!(decode["prompt"], serde_json::json!([1, 2]));
    let mut members: Vec<_> = decode.keys().map(String::as_str).collect();
    members.sort_unstable();
    // What the test notes of the call is not on the wire.
    members.retain(|name| *name != "asked");
    assert_eq!(members, ["disaggregated_params", "prompt", "stream"]);
}

#[tokio::test(start_paused = true)]
async fn failures_of_either_leg_end_in_one_whole_answer() {
    for connector in Connector::ALL {
        let fails = [
            Act::Refuse,
            Act::Answer(500),
            Act::Hang,
            Act::ErrorEvent,
            Act::Abort,
        ];
        for act in fails {
            let parts = [("p1", act), ("d1", Act::Serve), ("u", Act::Serve)];
            let rig = one(connector, &parts).await;
            let told = rig.told();
            let expected = if matches!(act, Act::ErrorEvent | Act::Abort) {
                "single_phase; reason=prefill_failed"
            } else {
                "single_phase"
            };
            assert!(told.starts_with(expected), "{connector:?} {act:?}: {told}");
            let parts = [("p1", Act::Serve), ("d1", act), ("u", Act::Serve)];
            let rig = one(connector, &parts).await;
            let told = rig.told();
            assert!(
                told.starts_with("single_phase"),
                "{connector:?} {act:?}: {told}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_with_its_first_token_is_read_as_the_calls() {
    let rig = one(
        Connector::TrtLlm,
        &[("p1", Act::Finish), ("d1", Act::Serve)],
    )
    .await;
    assert_eq!(rig.told(), "finished");
    assert_eq!(rig.legs(), [("p1", "prefill")]);
}

#[tokio::test(start_paused = true)]
async fn several_choices_and_single_tokens_are_not_split() {
    let parts = [("p1", Act::Serve), ("d1", Act::Serve)];
    let mut two = call();
    two.sampling.n = Some(2);
    let single = TokenCall::new("m", [1].as_slice(), 1);
    for call in [two, single] {
        let rig = PairRig::new(Connector::Nixl, &parts);
        ids(&rig, call).await.expect("served");
        assert_eq!(rig.legs(), [("d1", "whole")]);
        assert_eq!(rig.told(), "single_phase; reason=not_splittable");
    }
}

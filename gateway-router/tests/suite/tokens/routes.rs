//! Which engine and which of its routes a call goes to.

use std::time::Duration;

use gateway_router::{
    Deadlines, Ending, EngineKind, ErrorKind, Target,
    core::health::Availability,
    engine::{EngineClient, GenerateCall, HttpEngine},
};
use http::HeaderMap;

use super::{FIVE, LAST, USED, call, generate, read, request, settings, used, vllm};
use crate::common::{
    rig::Rig,
    script::{ScriptEngine, Step, say},
    wire::{ABORT, DONE, error_event, reply, stream, whole_stream},
    within,
};

const SWITCHED_OFF: &str =
    r#"{"error":{"message":"not enabled","type":"PermissionDeniedError","code":403}}"#;

fn good() -> Vec<Step> {
    say(whole_stream(&[FIVE, LAST, USED, DONE]))
}

/// What the completions route answers.
fn completions() -> Vec<Step> {
    let last = "data: {\"choices\":[{\"index\":0,\"text\":\"\",\"token_ids\":[7],\"finish_reason\":\"stop\"}]}\n\n";
    say(whole_stream(&[last, DONE]))
}

#[tokio::test]
async fn a_call_is_answered_in_ids_with_its_cost() {
    let engine = ScriptEngine::always(good()).await;
    let rig = vllm(&[&engine]);
    let reply = generate(&rig).await.expect("served");
    assert_eq!(&*reply.endpoint, "a");
    let (ids, end) = read(reply).await;
    assert_eq!((ids, end.expect("done")), (vec![5, 7], used(3, 2, Some(1))));
    let heard = engine.only();
    assert!(
        heard
            .head
            .to_lowercase()
            .starts_with("post /inference/v1/generate ")
    );
    assert_eq!(heard.header("x-request-id"), Some("r-7"));
    let report = rig.reports.only();
    assert_eq!((report.attempts, report.ending), (1, Ending::Completed));
    assert_eq!(
        (report.status, report.prompt_tokens_estimate),
        (Some(200), 3)
    );
    assert_eq!(report.usage, Some(used(3, 2, Some(1))));
    assert!(report.ttft.is_some(), "the first token was seen");
    rig.assert_idle();
}

/// What a first engine did: a second one serves, and nothing of the first is shown.
async fn goes_elsewhere(script: Vec<Step>, counts: bool) {
    let shown = format!("{script:?}");
    let first = ScriptEngine::always(script).await;
    let second = ScriptEngine::always(good()).await;
    let rig = vllm(&[&first, &second]);
    let reply = generate(&rig).await.expect(&shown);
    assert_eq!(&*reply.endpoint, "b", "{shown}");
    assert_eq!(read(reply).await.0, [5, 7], "{shown}");
    assert_eq!(rig.reports.only().attempts, 2, "{shown}");
    let expected = if counts {
        Availability::Open
    } else {
        Availability::Up
    };
    assert_eq!(rig.availability("a"), expected, "{shown}");
    rig.assert_idle();
}

#[tokio::test]
async fn failures_before_the_first_token_go_elsewhere() {
    goes_elsewhere(say(reply(500, "{}")), true).await;
    goes_elsewhere(say(reply(503, "{}")), false).await;
    goes_elsewhere(say(whole_stream(&[&error_event(500, "died"), DONE])), true).await;
    goes_elsewhere(say(whole_stream(&[ABORT, DONE])), true).await;
    goes_elsewhere(say(whole_stream(&[DONE])), true).await;
    goes_elsewhere(say(stream(&[])), true).await;
    goes_elsewhere(
        say(stream(&["data: {\"choices\":[{\"token_ids\":[-1]}]}\n\n"])),
        true,
    )
    .await;
    // A token that came in one piece with the failure was shown to nobody.
    let both = format!("{FIVE}{}", error_event(500, "died"));
    goes_elsewhere(say(whole_stream(&[&both, DONE])), true).await;
}

#[tokio::test]
async fn a_refused_request_is_final() {
    let refusal = r#"{"error":{"message":"Token id 9 is out of vocabulary","code":400}}"#;
    let first = ScriptEngine::always(say(reply(400, refusal))).await;
    let second = ScriptEngine::always(good()).await;
    let rig = vllm(&[&first, &second]);
    let error = generate(&rig).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(error.to_api().message.contains("vocabulary"));
    assert_eq!(second.accepted(), 0);
    let unknown = r#"{"error":{"message":"The model `m` does not exist.","type":"NotFoundError","code":404}}"#;
    let first = ScriptEngine::always(say(reply(404, unknown))).await;
    let error = generate(&vllm(&[&first])).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(first.heard().len(), 1, "no other route is tried");
}

#[tokio::test]
async fn a_route_that_is_switched_off_is_asked_for_once() {
    for refusal in [
        reply(403, SWITCHED_OFF),
        reply(404, r#"{"detail":"Not Found"}"#),
    ] {
        let scripts = vec![say(refusal), completions(), completions()];
        let engine = ScriptEngine::on_each(scripts).await;
        let rig = vllm(&[&engine]);
        for _ in 0..2 {
            let (ids, end) = read(generate(&rig).await.expect("served")).await;
            // The engine counted nothing; the router did.
            assert_eq!((ids, end.expect("done")), (vec![7], used(3, 1, None)));
        }
        let paths: Vec<String> = engine
            .heard()
            .iter()
            .map(|heard| heard.head.split(' ').nth(1).unwrap_or_default().to_owned())
            .collect();
        let expected = [
            "/inference/v1/generate",
            "/v1/completions",
            "/v1/completions",
        ];
        assert_eq!(paths, expected);
        assert!(rig.reports.all().iter().all(|report| report.attempts == 1));
    }
}

/// It may have come back with other flags.
#[tokio::test]
async fn an_engine_that_died_is_asked_anew() {
    let scripts = vec![
        say(reply(403, SWITCHED_OFF)),
        completions(),
        vec![Step::Read],
        good(),
    ];
    let engine = ScriptEngine::on_each(scripts).await;
    let target = Target::parse(&format!("http://{}", engine.addr)).expect("an address");
    let client = HttpEngine::new(target, EngineKind::Vllm, None, 4, Duration::from_secs(30));
    let send = || {
        within(client.generate(GenerateCall {
            call: call(&[1, 2, 3]).into(),
            edit: None,
            headers: HeaderMap::new(),
            deadlines: Deadlines::default(),
            event_bytes: 4096,
        }))
    };
    send().await.map(drop).expect("on the second route");
    let error = send().await.map(drop).expect_err("it died");
    assert_eq!(error.kind(), ErrorKind::Closed);
    send().await.map(drop).expect("served");
    let heard = engine.heard();
    let last = &heard.last().expect("requests").head;
    assert!(
        last.to_lowercase()
            .starts_with("post /inference/v1/generate "),
        "{last}"
    );
}

#[tokio::test]
async fn an_engine_that_takes_no_tokens_is_left_alone() {
    let first = ScriptEngine::always(good()).await;
    let alone = Rig::with(settings(&[(&first, EngineKind::Tgi)]));
    let error = generate(&alone).await.expect_err("text only");
    assert_eq!(
        (error.kind(), error.to_api().status),
        (ErrorKind::Unsupported, 400)
    );
    assert!(error.to_api().message.contains("text mode"), "{error}");
    // Another kind may do; that costs no retry, for nobody was troubled.
    let second = ScriptEngine::always(good()).await;
    let mut mixed = settings(&[(&first, EngineKind::Tgi), (&second, EngineKind::Vllm)]);
    mixed.retry.budget_burst = 0;
    mixed.retry.budget_ratio = 0.0;
    // Nor does it use up the attempts.
    mixed.retry.attempts = 1;
    let rig = Rig::with(mixed);
    let reply = generate(&rig).await.expect("served by the other");
    assert_eq!(&*reply.endpoint, "b");
    assert_eq!(read(reply).await.0, [5, 7]);
    assert_eq!(
        (first.accepted(), rig.availability("a")),
        (0, Availability::Up)
    );
}

#[tokio::test]
async fn a_wish_that_the_engine_has_no_field_for_is_named() {
    let engine = ScriptEngine::always(good()).await;
    let rig = Rig::with(settings(&[(&engine, EngineKind::Mindie)]));
    let mut asked = request();
    asked.call.sampling.n = Some(2);
    let error = within(rig.router.generate(asked)).await.expect_err("no n");
    let api = error.to_api();
    assert_eq!((api.status, api.param.as_deref()), (400, Some("n")));
    assert!(api.message.contains("MindIE"), "{}", api.message);
    assert_eq!(engine.accepted(), 0);
}

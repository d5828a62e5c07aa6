//! What is tried elsewhere, what is not, and how often.

use gateway_router::{Ending, ErrorKind, Origin, core::health::Availability};

use crate::common::{
    rig::{Rig, settings, text},
    script::{ScriptEngine, Step, say},
    wire::{self, ABORT, DONE, ONE, STOP, error_event, reply, stream, whole_stream},
};

/// What a first engine did, and whether that is to count against it.
async fn goes_elsewhere(script: Vec<Step>, streamed: bool, counts: bool) {
    let shown = format!("{script:?}");
    let first = ScriptEngine::always(script).await;
    let good = if streamed {
        whole_stream(&[ONE, STOP, DONE])
    } else {
        wire::answer()
    };
    let second = ScriptEngine::always(say(good)).await;
    let rig = Rig::new(&[first.addr, second.addr]);
    let asked = if streamed {
        rig.ask_for_stream().await
    } else {
        rig.ask().await
    };
    let served = asked.unwrap_or_else(|error| panic!("{shown}: {error}"));
    assert_eq!(&*served.endpoint, "b", "{shown}");
    let expected = if streamed {
        [ONE, STOP, DONE].concat()
    } else {
        wire::ANSWER.to_owned()
    };
    assert_eq!(
        text(served).await,
        expected,
        "nothing of the first engine is shown: {shown}"
    );
    let after = if counts {
        Availability::Open
    } else {
        Availability::Up
    };
    assert_eq!(rig.availability("a"), after, "{shown}");
    let report = rig.reports.only();
    assert_eq!(
        (report.attempts, report.ending),
        (2, Ending::Completed),
        "{shown}"
    );
    assert_eq!(report.endpoint.as_deref(), Some("b"));
    assert_eq!(first.heard().len(), 1, "{shown}");
    rig.assert_idle();
}

/// As a draining vLLM: health 200, every request 500.
#[tokio::test]
async fn engine_failures_go_elsewhere_and_count() {
    for status in [500, 502, 504, 424, 301] {
        goes_elsewhere(
            say(reply(status, r#"{"error":{"message":"boom"}}"#)),
            false,
            true,
        )
        .await;
    }
}

#[tokio::test]
async fn a_refused_credential_goes_elsewhere_and_counts() {
    for status in [401, 403, 407] {
        goes_elsewhere(
            say(reply(status, r#"{"error":"Unauthorized"}"#)),
            false,
            true,
        )
        .await;
    }
}

#[tokio::test]
async fn a_busy_engine_is_passed_by_without_harm() {
    for status in [503, 429, 408] {
        goes_elsewhere(
            say(reply(status, r#"{"error":{"message":"busy"}}"#)),
            false,
            false,
        )
        .await;
    }
}

#[tokio::test]
async fn a_whole_reply_that_is_cut_goes_elsewhere() {
    let whole = wire::answer();
    goes_elsewhere(say(&whole[..whole.len() - 20]), false, true).await;
}

#[tokio::test]
async fn a_whole_reply_that_was_given_up_goes_elsewhere() {
    let given_up = r#"{"choices":[{"message":{"content":"h"},"finish_reason":"abort"}]}"#;
    goes_elsewhere(say(reply(200, given_up)), false, true).await;
}

#[tokio::test]
async fn streams_that_fail_under_200_before_they_begin_go_elsewhere() {
    let broke = error_event(500, "engine core died");
    goes_elsewhere(say(whole_stream(&[&broke, DONE])), true, true).await;
    goes_elsewhere(say(whole_stream(&[ABORT, DONE])), true, true).await;
    goes_elsewhere(say(whole_stream(&[DONE])[..60].to_owned()), true, true).await;
    goes_elsewhere(say(stream(&[])), true, true).await;
    goes_elsewhere(say(whole_stream(&[])), true, true).await;
    let busy = error_event(503, "busy");
    goes_elsewhere(say(whole_stream(&[&busy, DONE])), true, false).await;
}

#[tokio::test]
async fn the_callers_own_errors_are_returned_and_never_retried() {
    for status in [400, 404, 413, 422] {
        let body = r#"{"error":{"message":"bad '/srv/vllm/app.py' here","type":"BadRequestError","param":"n","code":400}}"#;
        let first = ScriptEngine::always(say(reply(status, body))).await;
        let second = ScriptEngine::good().await;
        let rig = Rig::new(&[first.addr, second.addr]);
        let error = rig.ask().await.expect_err("refused");
        assert_eq!(
            (error.kind(), error.origin()),
            (ErrorKind::Rejected, Origin::Client)
        );
        let api = error.to_api();
        assert_eq!((api.status, api.param.as_deref()), (status, Some("n")));
        assert_eq!(api.message, "bad '<path>' here");
        assert_eq!((first.heard().len(), second.accepted()), (1, 0));
        assert_eq!(rig.availability("a"), Availability::Up);
        assert_eq!(
            rig.reports.only().ending,
            Ending::Failed(ErrorKind::Rejected)
        );
    }
}

/// As SGLang tells of a prompt that is too long when a stream was asked for.
#[tokio::test]
async fn a_callers_error_told_inside_a_stream_is_returned_as_such() {
    let event = error_event(400, "prompt too long");
    let first = ScriptEngine::always(say(whole_stream(&[&event, DONE]))).await;
    let second = ScriptEngine::good().await;
    let rig = Rig::new(&[first.addr, second.addr]);
    let error = rig.ask_for_stream().await.expect_err("refused");
    assert_eq!(
        (error.kind(), error.to_api().status),
        (ErrorKind::Rejected, 400)
    );
    assert_eq!(error.to_api().message, "prompt too long");
    assert_eq!(
        (second.accepted(), rig.availability("a")),
        (0, Availability::Up)
    );
}

#[tokio::test]
async fn an_engines_insides_are_not_shown_when_all_fail() {
    let trace = r#"{"error":{"message":"boom\nTraceback (most recent call last):\n File \"/srv/x.py\", line 3"}}"#;
    let engine = ScriptEngine::always(say(reply(500, trace))).await;
    let rig = Rig::new(&[engine.addr]);
    let error = rig.ask().await.expect_err("failed");
    assert_eq!(error.to_api().message, "boom");
    assert_eq!(
        (error.to_api().status, error.origin()),
        (500, Origin::Engine)
    );
}

#[tokio::test]
async fn when_all_fail_the_last_error_is_told() {
    let first = ScriptEngine::always(say(reply(500, r#"{"error":{"message":"first"}}"#))).await;
    let second = ScriptEngine::always(say(reply(503, r#"{"error":{"message":"second"}}"#))).await;
    let rig = Rig::new(&[first.addr, second.addr]);
    let error = rig.ask().await.expect_err("all fail");
    assert_eq!(
        (error.kind(), error.to_api().message.as_str()),
        (ErrorKind::Busy, "second")
    );
    let report = rig.reports.only();
    assert_eq!(
        (report.attempts, report.ending),
        (2, Ending::Failed(ErrorKind::Busy))
    );
    rig.assert_idle();
}

#[tokio::test]
async fn attempts_are_bounded() {
    for attempts in [1, 2, 3] {
        let mut engines = Vec::new();
        for _ in 0..4 {
            engines.push(ScriptEngine::always(say(reply(503, "{}"))).await);
        }
        let mut settings = settings(&[0, 1, 2, 3].map(|n: usize| engines[n].addr));
        settings.retry.attempts = attempts;
        let rig = Rig::with(settings);
        rig.ask().await.expect_err("all are busy");
        let heard: usize = engines.iter().map(|engine| engine.heard().len()).sum();
        assert_eq!(heard, attempts as usize);
    }
}

#[tokio::test]
async fn a_spent_budget_ends_retries_and_requests_earn_them_back() {
    let busy = ScriptEngine::always(say(reply(503, "{}"))).await;
    let good = ScriptEngine::good().await;
    let mut settings = settings(&[busy.addr, good.addr]);
    settings.retry.budget_burst = 1;
    settings.retry.budget_ratio = 0.5;
    let rig = Rig::with(settings);
    let mut served = Vec::new();
    for _ in 0..6 {
        served.push(rig.ask().await.is_ok());
    }
    // One retry saved up; from then on every second request has earned one.
    assert_eq!(served, [true, false, true, false, true, false]);
}

#[tokio::test]
async fn a_fleet_of_one_does_not_spend_the_retries_of_others() {
    let alone = ScriptEngine::always(say(reply(503, "{}"))).await;
    let (busy, good) = (
        ScriptEngine::always(say(reply(503, "{}"))).await,
        ScriptEngine::good().await,
    );
    let mut settings = settings(&[busy.addr, good.addr, alone.addr]);
    settings.endpoints[2].spec.models = vec!["lonely".into()];
    settings.retry.budget_burst = 1;
    settings.retry.budget_ratio = 0.0;
    let rig = Rig::with(settings);
    for _ in 0..3 {
        let body = bytes::Bytes::from_static(br#"{"model":"lonely","prompt":"x"}"#);
        let api = gateway_router::proto::openai::Api::Completions;
        let request = gateway_router::RouteRequest::parse(api, body).expect("good");
        rig.router.route(request).await.expect_err("busy");
    }
    let served = rig.ask().await.expect("the one retry is still there");
    assert_eq!(&*served.endpoint, "b");
}

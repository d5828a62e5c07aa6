//! Answers by text: another engine is asked as long as nothing that was generated has been shown.

use std::time::Duration;

use gateway_router::Ending;

use crate::common::{
    rig::{Rig, request, settings, text},
    script::{ScriptEngine, Step, say, say_and_stay},
    wire::{ABORT, DONE, ONE, STOP, error_event, stream, whole_stream},
    within,
};

/// How chat streams begin.
const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";

fn good() -> Vec<Step> {
    say(whole_stream(&[ROLE, ONE, STOP, DONE]))
}

async fn rig(first: Vec<Step>) -> (Rig, ScriptEngine, ScriptEngine) {
    let engines = (
        ScriptEngine::always(first).await,
        ScriptEngine::always(good()).await,
    );
    let mut settings = settings(&[engines.0.addr, engines.1.addr]);
    settings.deadlines.idle = Duration::from_millis(300);
    settings.deadlines.first_byte = Duration::from_millis(300);
    (Rig::with(settings), engines.0, engines.1)
}

/// The other engine's stream whole, and nothing of the first.
async fn goes_elsewhere(first: Vec<Step>) {
    let shown = format!("{first:?}");
    let (rig, _first, other) = rig(first).await;
    let reply = within(rig.router.route(request(true))).await.expect(&shown);
    assert_eq!(&*reply.endpoint, "b", "{shown}");
    assert_eq!(
        text(reply).await,
        [ROLE, ONE, STOP, DONE].concat(),
        "{shown}"
    );
    assert_eq!(other.heard().len(), 1, "{shown}");
    let report = rig.reports.only();
    assert_eq!((report.ending, report.attempts), (Ending::Completed, 2));
    rig.assert_idle();
}

#[tokio::test]
async fn a_role_alone_is_nothing_that_was_shown() {
    goes_elsewhere(say(stream(&[ROLE]))).await;
    goes_elsewhere(say(whole_stream(&[": ping\n\n", ROLE]))).await;
    goes_elsewhere(say(whole_stream(&[ROLE, &error_event(500, "died"), DONE]))).await;
    let both = format!("{ROLE}{}", error_event(500, "died"));
    goes_elsewhere(say(whole_stream(&[&both, DONE]))).await;
    goes_elsewhere(say(whole_stream(&[ROLE, ABORT, DONE]))).await;
    goes_elsewhere(say_and_stay(stream(&[ROLE]))).await;
}

#[tokio::test]
async fn an_answer_with_nothing_in_it_is_one() {
    for end in [&[ROLE, STOP, DONE][..], &[ROLE, DONE], &[ROLE, STOP]] {
        let (rig, _first, other) = rig(say(whole_stream(end))).await;
        let reply = within(rig.router.route(request(true))).await;
        assert_eq!(text(reply.expect("served")).await, end.concat());
        assert_eq!(other.accepted(), 0);
        assert_eq!(rig.reports.only().ending, Ending::Completed);
    }
}

#[cfg(feature = "text")]
mod translated {
    use gateway_router::{ErrorKind, proto::ir::Event};
    use serde_json::json;

    use super::*;
    use crate::{
        common::wire::TWO,
        edge::{ask, chat_request, gathered, next, question},
    };

    fn asked(stream: bool) -> gateway_router::edge::Ask {
        let mut body = question("Well?");
        body["stream"] = json!(stream);
        ask(chat_request(body), None)
    }

    #[tokio::test]
    async fn an_answer_that_nobody_has_seen_is_asked_for_again() {
        for broken in [
            say(stream(&[ROLE, TWO])),
            say(whole_stream(&[ROLE, TWO, &error_event(500, "died"), DONE])),
            say_and_stay(stream(&[ROLE, TWO])),
        ] {
            let (rig, _first, other) = rig(broken).await;
            let reply = within(rig.router.answer(asked(false))).await;
            let reply = reply.expect("an answer");
            assert_eq!(&*reply.endpoint, "b");
            let answer = gathered(reply).await.expect("it does not break");
            assert_eq!(answer.choices[0].text(), "one");
            let heard = other.only();
            assert_eq!(heard.header("x-request-id"), Some("r-1-0-0-1"));
            let again = rig.reports.last();
            assert!(again.leg.resumes.is_some() && !again.leg.counts_prompt());
            rig.assert_idle();
        }
    }

    #[tokio::test]
    async fn once_and_no_more() {
        let engine = || ScriptEngine::always(say(stream(&[ROLE, TWO])));
        let (a, b, c) = (engine().await, engine().await, engine().await);
        let rig = Rig::new(&[a.addr, b.addr, c.addr]);
        let reply = within(rig.router.answer(asked(false))).await;
        let error = gathered(reply.expect("a reply")).await;
        assert_eq!(error.expect_err("it broke").status, 502);
        assert_eq!((b.heard().len(), c.heard().len()), (1, 0));
    }

    #[tokio::test]
    async fn a_stream_that_showed_something_ends_with_one_error() {
        let (rig, _first, other) = rig(say(stream(&[ROLE, TWO]))).await;
        let reply = within(rig.router.answer(asked(true))).await;
        let mut reply = reply.expect("it begins");
        let mut failures = 0;
        while let Some(event) = next(&mut reply).await {
            failures += u32::from(matches!(event, Event::Failed(_)));
        }
        assert_eq!((failures, other.accepted()), (1, 0));
        let report = rig.reports.only();
        assert_eq!(report.ending, Ending::Failed(ErrorKind::Broken));
    }
}

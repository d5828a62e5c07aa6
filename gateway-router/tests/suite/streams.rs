//! Streams that end well, and the ways they end badly after their first chunk.

use std::time::Duration;

use gateway_router::{Ending, ErrorKind, core::health::Availability};

use crate::common::{
    rig::{Rig, request, settings, text},
    script::{ScriptEngine, Step, say, say_and_stay},
    wire::{ABORT, DONE, END, ONE, STOP, TWO, chunk, error_event, stream, whole_stream},
};

/// The stream of an engine that follows `script`, and how it ended. A second engine stands by and must not be asked.
async fn told(script: Vec<Step>) -> (String, Ending, Availability) {
    let engine = ScriptEngine::always(script).await;
    let other = ScriptEngine::good().await;
    let mut settings = settings(&[engine.addr, other.addr]);
    settings.deadlines.idle = Duration::from_millis(300);
    settings.limits.event_bytes = 4096;
    let rig = Rig::with(settings);
    let mut request = request(true);
    request.request_id = "r-7".into();
    let reply = rig.router.route(request).await.expect("the stream begins");
    let said = text(reply).await;
    assert_eq!(
        other.accepted(),
        0,
        "a stream that has begun is not asked for again"
    );
    rig.assert_idle();
    (said, rig.reports.only().ending, rig.availability("a"))
}

/// The events before it, one error event, no `[DONE]`, and a failure that counts.
async fn breaks_after_one(script: Vec<Step>, kind: ErrorKind, message: &str) {
    let shown = format!("{script:?}");
    let (said, ending, availability) = told(script).await;
    let last = said
        .strip_prefix(ONE)
        .unwrap_or_else(|| panic!("{shown}: {said}"));
    let json = last
        .strip_prefix("data: ")
        .and_then(|event| event.strip_suffix("\n\n"));
    let error: serde_json::Value =
        serde_json::from_str(json.expect("one event")).unwrap_or_else(|e| panic!("{last}: {e}"));
    let words = error["error"]["message"].as_str().expect("a message");
    assert!(
        words.contains(message) && words.contains("r-7"),
        "{shown}: {words}"
    );
    assert!(!said.contains("[DONE]"), "{shown}");
    assert_eq!(ending, Ending::Failed(kind), "{shown}");
    assert_eq!(availability, Availability::Open, "{shown}");
}

#[tokio::test]
async fn a_good_stream_passes_byte_for_byte() {
    let whole = [": ping\n\n", ONE, TWO, STOP, DONE].concat();
    let (said, ending, availability) =
        told(say(whole_stream(&[": ping\n\n", ONE, TWO, STOP, DONE]))).await;
    assert_eq!(said, whole);
    assert_eq!(
        (ending, availability),
        (Ending::Completed, Availability::Up)
    );
}

#[tokio::test]
async fn events_split_anywhere_pass_whole() {
    let whole = [ONE, TWO, STOP, DONE].concat();
    let bytes: Vec<String> = whole.chars().map(String::from).collect();
    let pieces: Vec<&str> = bytes.iter().map(String::as_str).collect();
    let (said, ending, _) = told(say(whole_stream(&pieces))).await;
    assert_eq!((said, ending), (whole, Ending::Completed));
}

#[tokio::test]
async fn a_stream_without_done_but_with_its_finish_reason_is_whole() {
    let (said, ending, availability) = told(say(whole_stream(&[ONE, STOP]))).await;
    assert_eq!(said, [ONE, STOP].concat());
    assert_eq!(
        (ending, availability),
        (Ending::Completed, Availability::Up)
    );
}

/// As vLLM when its engine core is killed: an error chunk, then `[DONE]`, under 200.
#[tokio::test]
async fn an_error_event_in_mid_stream_ends_it() {
    let failed = error_event(500, "core died at '/srv/x/y.py'");
    let script = say(whole_stream(&[ONE, &failed, DONE]));
    breaks_after_one(script, ErrorKind::EngineFailed, "core died at '<path>'").await;
    let both = format!("{ONE}{failed}");
    breaks_after_one(
        say(whole_stream(&[&both, DONE])),
        ErrorKind::EngineFailed,
        "core died",
    )
    .await;
}

/// As vLLM when a request is aborted: a finish reason `abort`, then `[DONE]`.
#[tokio::test]
async fn an_abort_ending_is_no_success() {
    let script = say(whole_stream(&[ONE, ABORT, DONE]));
    breaks_after_one(script, ErrorKind::EngineFailed, "gave the request up").await;
}

/// As vLLM on SIGTERM: no chunk, no end, for as long as one waits.
#[tokio::test]
async fn a_frozen_stream_is_ended() {
    breaks_after_one(say_and_stay(stream(&[ONE])), ErrorKind::Timeout, "silent").await;
}

/// A drip of bytes that never makes an event is no sign of life.
#[tokio::test]
async fn a_frozen_stream_inside_an_event_is_ended() {
    breaks_after_one(
        say_and_stay(stream(&[ONE, "data: {\"cho"])),
        ErrorKind::Timeout,
        "silent",
    )
    .await;
}

#[tokio::test]
async fn a_stream_cut_in_its_body_is_ended() {
    let at_an_event = say(stream(&[ONE]));
    breaks_after_one(at_an_event, ErrorKind::Broken, "broke off").await;
    let in_an_event = say(stream(&[ONE, &TWO[..20]]));
    breaks_after_one(in_an_event, ErrorKind::Broken, "broke off").await;
    let in_a_chunk = say(format!("{}40\r\ndata: ", stream(&[ONE])));
    breaks_after_one(in_a_chunk, ErrorKind::Broken, "broke off").await;
    let politely = say(whole_stream(&[ONE]));
    breaks_after_one(politely, ErrorKind::Broken, "broke off").await;
}

#[tokio::test]
async fn an_event_without_end_is_not_kept_without_end() {
    let huge = format!("data: {}", "x".repeat(8192));
    breaks_after_one(
        say_and_stay(stream(&[ONE, &huge])),
        ErrorKind::Broken,
        "more than 4096",
    )
    .await;
}

#[tokio::test]
async fn a_callers_error_in_mid_stream_is_told_and_does_not_count() {
    let refused = error_event(400, "too long");
    let (said, ending, availability) = told(say(whole_stream(&[ONE, &refused, DONE]))).await;
    assert!(said.starts_with(ONE) && said.contains("too long") && !said.contains("[DONE]"));
    assert_eq!(ending, Ending::Failed(ErrorKind::Rejected));
    assert_eq!(availability, Availability::Up);
}

/// As uvicorn does: `[DONE]` and the end of the body come in writes of their own.
#[tokio::test]
async fn a_stream_whose_end_comes_late_gives_its_connection_back() {
    let events = format!("{}{}", stream(&[ONE, STOP]), chunk(DONE));
    let one = [
        Step::Read,
        Step::Say(events),
        Step::Pause,
        Step::Say(END.into()),
    ];
    let engine = ScriptEngine::on_each(vec![[one.clone(), one].concat()]).await;
    let rig = Rig::new(&[engine.addr]);
    for _ in 0..2 {
        let reply = rig.ask_for_stream().await.expect("served");
        assert_eq!(text(reply).await, [ONE, STOP, DONE].concat());
    }
    assert_eq!(engine.accepted(), 1);
}

#[tokio::test]
async fn a_stream_that_never_ends_after_done_is_whole_all_the_same() {
    let events = format!("{}{}", stream(&[ONE, STOP]), chunk(DONE));
    let (said, ending, availability) = told(say_and_stay(events)).await;
    assert_eq!(said, [ONE, STOP, DONE].concat());
    assert_eq!(
        (ending, availability),
        (Ending::Completed, Availability::Up)
    );
}

#[tokio::test]
async fn a_stream_that_ended_well_gives_its_connection_back() {
    let ended = format!("{}{}{}", stream(&[ONE, STOP]), chunk(DONE), END);
    let twice = [say(&ended), say(&ended)].concat();
    let engine = ScriptEngine::on_each(vec![twice]).await;
    let rig = Rig::new(&[engine.addr]);
    for _ in 0..2 {
        let reply = rig.ask_for_stream().await.expect("served");
        assert_eq!(text(reply).await, [ONE, STOP, DONE].concat());
    }
    assert_eq!(engine.accepted(), 1);
}

//! What the router feeds the decision with, and what it tells of it.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use bytes::Bytes;
use gateway_router::{RouteReply, RouteRequest, core::Pipelines, proto::openai::Api};
use tokio::time::sleep;

use crate::common::{
    memory::{Act, Engines, fleet},
    rig::Rig,
};

fn rig() -> (Rig, Engines) {
    let (mut settings, engines) = fleet(&[Act::Serve; 4]);
    settings.pipelines = Pipelines::default();
    for (endpoint, zone) in settings.endpoints.iter_mut().zip(["x", "x", "y", "x"]) {
        endpoint.spec.labels.insert("zone".into(), zone.into());
    }
    let by_name = engines.clone();
    (
        Rig::driving(settings, move |told| by_name.client(told)),
        engines,
    )
}

/// A request with a prompt of some kilobytes that only equal letters share.
fn long(letter: char) -> RouteRequest {
    let prompt: String = (0..400).map(|n| format!("{letter}{n} ")).collect();
    let body = format!(r#"{{"model":"m","prompt":"{prompt}"}}"#);
    RouteRequest::parse(Api::Completions, Bytes::from(body)).expect("a good request")
}

async fn route(rig: &Rig, request: RouteRequest) -> RouteReply {
    rig.router.route(request).await.expect("served")
}

#[tokio::test(start_paused = true)]
async fn a_prompt_goes_where_its_prefix_is() {
    let (rig, _) = rig();
    for letter in ['p', 'q', 'r'] {
        let first = route(&rig, long(letter)).await.endpoint;
        assert_eq!(
            rig.reports.last().cached_tokens_estimate,
            0,
            "never seen before"
        );
        for _ in 0..5 {
            assert_eq!(route(&rig, long(letter)).await.endpoint, first);
            let report = rig.reports.last();
            let share =
                f64::from(report.cached_tokens_estimate) / f64::from(report.prompt_tokens_estimate);
            assert!(share > 0.8 && share <= 1.0, "{share}");
        }
    }
}

/// Its counters fall, though no probe ever failed.
#[tokio::test(start_paused = true)]
async fn an_engine_that_restarted_holds_nothing_any_more() {
    let (rig, engines) = rig();
    engines
        .all()
        .for_each(|engine| engine.counted.store(1_000, SeqCst));
    sleep(Duration::from_secs(3)).await;
    let holder = route(&rig, long('p')).await.endpoint;
    engines
        .all()
        .for_each(|engine| engine.counted.store(2_000, SeqCst));
    sleep(Duration::from_secs(3)).await;
    route(&rig, long('p')).await;
    assert!(
        rig.reports.last().cached_tokens_estimate > 0,
        "counters that rise mean nothing"
    );
    engines.named(&holder).counted.store(5, SeqCst);
    sleep(Duration::from_secs(3)).await;
    route(&rig, long('p')).await;
    assert_eq!(rig.reports.last().cached_tokens_estimate, 0);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_was_down_holds_nothing_any_more() {
    let (rig, engines) = rig();
    let holder = route(&rig, long('p')).await.endpoint;
    engines.named(&holder).set(Act::Dead);
    sleep(Duration::from_secs(30)).await;
    engines.named(&holder).set(Act::Serve);
    sleep(Duration::from_secs(30)).await;
    route(&rig, long('p')).await;
    assert_eq!(rig.reports.last().cached_tokens_estimate, 0);
}

#[tokio::test(start_paused = true)]
async fn labels_restrict_the_choice_and_nobody_is_an_answer() {
    let (rig, _) = rig();
    for _ in 0..5 {
        let mut request = long('p');
        request.hints.labels = vec![("zone".into(), "y".into())];
        assert_eq!(&*route(&rig, request).await.endpoint, "c");
    }
    let mut request = long('p');
    request.hints.labels = vec![("zone".into(), "z".into())];
    let error = rig
        .router
        .route(request)
        .await
        .expect_err("there is no zone z");
    assert_eq!(
        (error.kind().name(), error.to_api().status),
        ("no_endpoint", 503)
    );
}

#[tokio::test(start_paused = true)]
async fn a_decision_is_explained_where_asked() {
    let (rig, _) = rig();
    assert!(route(&rig, long('p')).await.explanation.is_none());
    let mut request = long('p');
    request.hints.explain = true;
    let reply = route(&rig, request).await;
    let record = reply.explanation.expect("asked for");
    assert_eq!(record.chosen.as_deref(), Some(&*reply.endpoint));
    assert_eq!(record.candidates.len(), 4);
    assert!(
        record
            .candidates
            .iter()
            .any(|candidate| candidate.cached_tokens > 0)
    );
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_are_spread() {
    let (rig, engines) = rig();
    engines
        .all()
        .for_each(|engine| engine.set(Act::ServeAfter(Duration::from_secs(5))));
    let mut asking = tokio::task::JoinSet::new();
    for letter in ['s', 't', 'u', 'v'] {
        let router = rig.router.clone();
        asking.spawn(async move { router.route(long(letter)).await.expect("served").endpoint });
    }
    let mut served = asking.join_all().await;
    served.sort();
    assert_eq!(
        served.iter().map(|name| &**name).collect::<Vec<_>>(),
        ["a", "b", "c", "d"]
    );
}

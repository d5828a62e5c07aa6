//! A fleet whose engines die, hang, drain and return at random while requests come and go, in virtual time.
//!
//! Every run follows from its seed, which is part of each failure's message.

use std::{sync::Arc, time::Duration};

use gateway_router::{
    Ending, RouteReport, Router,
    core::{Rng, health::Availability},
};
use http_body_util::BodyExt;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::common::{
    memory::{Act, Engines, fleet},
    rig::{Rig, request},
};

const SEEDS: u64 = 60;
const REQUESTS: usize = 120;
const TROUBLES: usize = 40;

/// What became of a request, as its caller saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Whole,
    /// An error before anything was shown.
    Refused,
    /// An error in the midst of a stream.
    Broken,
    Left,
}

fn trouble(rng: &mut Rng) -> Act {
    let every = Duration::from_millis(20);
    let acts = [
        Act::Dead,
        Act::Silent,
        Act::Stuck,
        Act::HeadOnly,
        Act::Drains,
        Act::Busy,
        Act::Freeze { after: 3, every },
        Act::Cut { after: 2 },
        Act::ServeAfter(Duration::from_secs(3)),
        Act::Serve,
        Act::Serve,
    ];
    acts[rng.below(acts.len())]
}

fn millis(rng: &mut Rng, most: usize) -> Duration {
    Duration::from_millis(rng.below(most) as u64)
}

/// Changes one engine after another; all but the first, which serves throughout.
async fn troubles(engines: Engines, mut rng: Rng) {
    for _ in 0..TROUBLES {
        sleep(millis(&mut rng, 2_000)).await;
        let victim = ["b", "c", "d"][rng.below(3)];
        engines.named(victim).set(trouble(&mut rng));
    }
    engines.all().for_each(|engine| engine.set(Act::Serve));
}

/// One caller; one in six leaves at some time of its own.
async fn caller(router: Router, mut rng: Rng) -> Seen {
    sleep(millis(&mut rng, 30_000)).await;
    let patience = match rng.below(6) {
        0 => millis(&mut rng, 4_000),
        _ => Duration::from_secs(3_600),
    };
    let streamed = rng.below(2) == 0;
    let mut said = Vec::new();
    let stayed = timeout(patience, ask(&router, streamed, &mut said)).await;
    let said = String::from_utf8_lossy(&said);
    let good = if streamed {
        said.ends_with("data: [DONE]\n\n")
    } else {
        said.contains("stop")
    };
    match stayed {
        Ok(false) => return Seen::Refused,
        // Who leaves after `[DONE]` has seen everything, even if the body's end was still to come.
        Err(_) if !good => return Seen::Left,
        _ => {}
    }
    assert_ne!(
        good,
        said.contains("\"error\""),
        "a whole answer or one error: {said}"
    );
    if good { Seen::Whole } else { Seen::Broken }
}

/// Reads a reply as it comes; false where there was none.
async fn ask(router: &Router, streamed: bool, said: &mut Vec<u8>) -> bool {
    let Ok(reply) = router.route(request(streamed)).await else {
        return false;
    };
    let mut body = reply.response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.unwrap_or_else(|never| match never {});
        said.extend_from_slice(&frame.into_data().expect("data"));
    }
    true
}

fn seen_in(report: &RouteReport) -> Seen {
    match report.ending {
        Ending::Completed => Seen::Whole,
        Ending::Cancelled => Seen::Left,
        Ending::Failed(_) | Ending::Resumed(_) if report.ttft.is_some() => Seen::Broken,
        Ending::Failed(_) | Ending::Resumed(_) => Seen::Refused,
    }
}

async fn storm(seed: u64) {
    let mut rng = Rng::from_seed(seed);
    let (mut settings, engines) = fleet(&[Act::Serve; 4]);
    settings.pipelines = gateway_router::core::Pipelines::default();
    settings.deadlines.first_byte = Duration::from_secs(1);
    settings.deadlines.idle = Duration::from_secs(1);
    settings.deadlines.total = Duration::from_secs(20);
    settings.retry.attempts = 4;
    settings.retry.budget_burst = 1_000;
    let by_name = engines.clone();
    let rig = Rig::driving(settings, move |told| by_name.client(told));
    let troubles = tokio::spawn(troubles(engines.clone(), Rng::from_seed(rng.next_u64())));
    let mut callers = JoinSet::new();
    for _ in 0..REQUESTS {
        callers.spawn(caller(rig.router.clone(), Rng::from_seed(rng.next_u64())));
    }
    let mut seen = callers.join_all().await;
    troubles.await.expect("the script ends");
    check(seed, &rig, &engines, &mut seen);
    recovers(seed, &rig).await;
}

fn check(seed: u64, rig: &Rig, engines: &Engines, seen: &mut [Seen]) {
    rig.assert_idle();
    let reports = rig.reports.all();
    let mut told: Vec<_> = reports.iter().map(seen_in).collect();
    told.sort_unstable();
    seen.sort_unstable();
    assert_eq!(
        told, seen,
        "seed {seed}: one report per request, with the ending its caller saw"
    );
    let attempts: u32 = reports.iter().map(|report| report.attempts).sum();
    assert_eq!(
        attempts as usize,
        engines.sent(),
        "seed {seed}: every attempt is told"
    );
    for report in &reports {
        assert!(report.attempts <= 4, "seed {seed}: {report:?}");
        // Streams can go elsewhere before their first byte, and one engine always serves: none may be lost unbegun.
        let lost = report.stream && seen_in(report) == Seen::Refused;
        assert!(!lost, "seed {seed}: lost unbegun: {report:?}");
    }
}

/// When the storm is over every engine is used again.
async fn recovers(seed: u64, rig: &Rig) {
    for _ in 0..200 {
        sleep(Duration::from_secs(1)).await;
        rig.router
            .route(request(false))
            .await
            .unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
    for name in ["a", "b", "c", "d"] {
        assert_eq!(
            rig.availability(name),
            Availability::Up,
            "seed {seed}: {name}"
        );
    }
    let used = |name: &str| {
        rig.reports
            .all()
            .iter()
            .rev()
            .take(200)
            .any(|r| r.endpoint == Some(Arc::from(name)))
    };
    assert!(["a", "b", "c", "d"].into_iter().all(used), "seed {seed}");
}

#[test]
fn no_storm_loses_what_was_not_begun_or_leaves_load_behind() {
    for seed in 0..SEEDS {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(storm(seed));
    }
}

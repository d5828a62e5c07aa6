//! What is `MindIE`'s alone: one prefill leg, and decode engines that answer to all requests together.

use std::{sync::Arc, time::Duration};

use gateway_router::{
    Cleanup, DroppedPart, PairOutcome, core::health::Availability,
    proto::engines::transfer::Connector,
};
use gateway_sim::engine::{FaultKind, FaultSpec};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    dresult::{Thrown, address_of},
    engine::{Act, lock},
    rig::{PairRig, Part, said},
    wire::{Bench, ids_of, words},
};
use crate::common::{
    rig::{self, Rig},
    within,
};

const SECOND: Duration = Duration::from_secs(1);
const WELL: [Part; 3] = [("p1", Act::Serve), ("d1", Act::Serve), ("u", Act::Serve)];

fn rig_of(parts: &[Part]) -> PairRig {
    PairRig::new(Connector::MindIe, parts)
}

/// What a stream says, word by word.
async fn content(rig: &PairRig) -> String {
    let reply = rig.rig.ask_for_stream().await.expect("served");
    let text = rig::text(reply).await;
    let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let said = events.filter_map(|data| serde_json::from_str::<serde_json::Value>(data).ok());
    let words = said.map(|event| {
        let word = event["choices"][0]["delta"]["content"].as_str();
        word.unwrap_or_default().to_owned()
    });
    words.collect()
}

#[tokio::test(start_paused = true)]
async fn the_prefill_leg_names_the_request_and_the_decode_engine() {
    let rig = rig_of(&WELL);
    assert_eq!(content(&rig).await, "Hello");
    let asked = lock(&rig.world).dresults.asked.clone();
    let [asked] = &asked[..] else {
        panic!("one leg: {asked:?}")
    };
    assert_eq!(asked.target, address_of("d1"));
    assert!(asked.id.len() == 16 && asked.id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(!asked.is_again);
    let [(name, status)] = &rig.rig.router.results()[..] else {
        panic!("one decode engine")
    };
    assert_eq!(
        (name.as_str(), status.is_up, status.opened),
        ("d1", true, 1)
    );
    assert_eq!(status.waiting, 0);
    let dropped = DroppedPart::ALL.map(|reason| status.dropped(reason));
    assert_eq!(dropped, [0; 4]);
    assert_eq!(rig.cleanups(), []);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_with_its_first_token_is_the_prefill_engines() {
    let parts = [("p1", Act::Finish), ("d1", Act::Serve)];
    let rig = rig_of(&parts);
    assert_eq!(content(&rig).await, "Hello");
    let reply = rig.ask().await.expect("served");
    assert_eq!(
        reply.pair.as_ref().map(|pair| pair.outcome),
        Some(PairOutcome::Finished)
    );
    assert_eq!(said(rig::text(reply).await), "Hello");
    assert_eq!(rig.legs(), [("p1", "prefill"), ("p1", "prefill")]);
    rig.assert_idle().await;
    assert_eq!(rig.cleanups(), [], "no engine has it any more");
}

#[tokio::test(start_paused = true)]
async fn a_prefill_engine_that_cannot_reach_the_decode_engine_is_well() {
    let rig = rig_of(&[
        ("p1", Act::BlameTransfer),
        ("d1", Act::Serve),
        ("u", Act::Serve),
    ]);
    assert_eq!(content(&rig).await, "Hello");
    assert_eq!(rig.told(), "single_phase; reason=transfer_failed");
    assert_eq!(rig.rig.availability("p1"), Availability::Up);
    assert_eq!(rig.cleanups(), []);
}

#[tokio::test(start_paused = true)]
async fn a_decode_engine_that_throws_a_request_out_gets_it_again() {
    for (thrown, said) in [
        (vec![Thrown::AtOnce], "HelloHello"),
        (vec![Thrown::Midway], "Hello thereHello"),
        (
            vec![Thrown::Midway, Thrown::AtOnce],
            "HelloHello thereHello",
        ),
        (
            vec![Thrown::Midway; 3],
            "Hello thereHello thereHello thereHello",
        ),
    ] {
        let rig = rig_of(&WELL);
        let rounds = thrown.len() + 1;
        lock(&rig.world).dresults.thrown_out = thrown;
        assert_eq!(content(&rig).await, said);
        assert_eq!(rig.told(), "split");
        let asked = lock(&rig.world).dresults.asked.clone();
        let again: Vec<_> = asked.iter().map(|asked| asked.is_again).collect();
        let mut expected = vec![true; rounds];
        expected[0] = false;
        assert_eq!(again, expected);
        let mut ids: Vec<_> = asked.into_iter().map(|asked| asked.id).collect();
        ids.dedup();
        assert_eq!(ids.len(), rounds, "each round has a name of its own");
        let body = lock(&rig.world).bodies.iter().rev().nth(1).cloned();
        assert_eq!(
            body.expect("a body")["rebuilt"],
            true,
            "the engine's own body"
        );
        rig.assert_idle().await;
        assert_eq!(rig.cleanups(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn but_not_for_ever() {
    let rig = rig_of(&WELL);
    lock(&rig.world).dresults.thrown_out = vec![Thrown::AtOnce; 4];
    assert_eq!(content(&rig).await, "Hello", "the other engine's alone");
    assert_eq!(rig.told(), "single_phase; reason=decode_failed");
    assert_eq!(rig.rig.availability("d1"), Availability::Up);
    let rig = rig_of(&WELL);
    lock(&rig.world).dresults.thrown_out = vec![Thrown::Midway; 4];
    let reply = rig.rig.ask_for_stream().await.expect("served");
    let text = rig::text(reply).await;
    assert!(
        text.contains("\"error\"") && !text.contains("[DONE]"),
        "{text}"
    );
    rig.assert_idle().await;
}

#[tokio::test(start_paused = true)]
async fn both_engines_are_told_that_the_caller_has_left() {
    let both = [
        ("p1".to_owned(), Cleanup::PrefillCancelled),
        ("p1".to_owned(), Cleanup::Stopped),
        ("d1".to_owned(), Cleanup::Stopped),
    ];
    let cases = [
        (
            ("p1", Act::Hang),
            ("d1", Act::Serve),
            &both[..],
            vec!["p1", "d1"],
        ),
        (
            ("p1", Act::Serve),
            ("d1", Act::Hang),
            &both[2..],
            vec!["d1"],
        ),
    ];
    for (p1, d1, told, stopped) in cases {
        let rig = rig_of(&[p1, d1]);
        let asked = rig.rig.router.route(rig::request(true));
        timeout(SECOND, asked).await.expect_err("it takes longer");
        rig.assert_idle().await;
        assert_eq!(rig.cleanups(), told, "{p1:?} {d1:?}");
        let world = lock(&rig.world);
        let names: Vec<_> = world
            .dresults
            .stopped
            .iter()
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(names, stopped);
        let id = &world.dresults.asked[0].id;
        assert!(world.dresults.stopped.iter().all(|(_, told)| told == id));
        drop(world);
        assert_eq!(rig.rig.router.results()[0].1.waiting, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_is_heard_again_and_its_requests_go_elsewhere() {
    let parts = [
        ("p1", Act::Serve),
        ("d1", Act::After(5 * SECOND)),
        ("u", Act::Serve),
    ];
    let rig = Arc::new(rig_of(&parts));
    let asking = tokio::spawn({
        let rig = Arc::clone(&rig);
        async move { content(&rig).await }
    });
    sleep(SECOND).await;
    lock(&rig.world).dresults.listened.clear();
    // The engine's own task still holds its end, and says what it has to say to nobody.
    assert_eq!(asking.await.expect("no panic"), "Hello");
    let told = rig.told();
    rig.assert_idle().await;
    sleep(30 * SECOND).await;
    let (_, status) = rig.rig.router.results()[0].clone();
    assert!(status.is_up && status.opened > 1, "{told}: {status:?}");
}

#[tokio::test]
async fn a_hundred_at_once_are_told_apart() {
    let bench = Bench::new(Connector::MindIe).await;
    let mut alone = rig::settings(&[bench.u.addr()]);
    alone.endpoints[0].kind = gateway_router::EngineKind::Mindie;
    let alone = Rig::with(alone);
    let (bench, alone) = (Arc::new(bench), Arc::new(alone));
    let mut all = JoinSet::new();
    for number in 0..100 {
        let (bench, alone) = (Arc::clone(&bench), Arc::clone(&alone));
        all.spawn(async move {
            let is_text = number % 2 == 0;
            if is_text {
                let streams = number % 4 == 0;
                let by = Connector::MindIe;
                let (text, told) = words(&bench.rig, by, number, streams).await;
                assert_eq!(text, words(&alone, by, number, streams).await.0);
                told
            } else {
                let (ids, told) = bench.ids(number).await;
                assert_eq!(ids, ids_of(&alone, Connector::MindIe, number).await.0);
                told
            }
        });
    }
    while let Some(told) = all.join_next().await {
        assert_eq!(told.expect("no panic"), "split");
    }
    let (_, status) = bench.rig.router.results()[0].clone();
    assert_eq!((status.opened, status.waiting), (1, 0));
    bench.assert_clean();
}

#[tokio::test]
async fn recomputed_requests_go_on_where_they_were() {
    let bench = Bench::new(Connector::MindIe).await;
    for after in [0, 3] {
        for number in 0..2 {
            let (text, _) = words(&bench.rig, Connector::MindIe, number, true).await;
            let fault = FaultSpec::new(FaultKind::Recomputed).times(1);
            bench.d1.inject(fault.clone().after_chunks(after));
            let (again, told) = words(&bench.rig, Connector::MindIe, number, true).await;
            assert_eq!((again, told.as_str()), (text, "split"), "after {after}");
            let (ids, _) = bench.ids(number).await;
            bench.d1.inject(fault.after_chunks(after));
            assert_eq!(bench.ids(number).await.0, ids, "after {after}");
        }
    }
    bench.assert_clean();
}

#[tokio::test]
async fn a_caller_that_leaves_in_the_middle_frees_the_decode_engine() {
    let bench = Bench::new(Connector::MindIe).await;
    // It would be over before anybody could leave.
    let slow = FaultSpec::new(FaultKind::Slow).by_factor(100.0);
    bench.d1.inject(slow);
    let body = r#"{"model":"m","stream":true,"max_tokens":400,"messages":[{"role":"user","content":"a long one"}]}"#;
    let api = gateway_router::proto::openai::Api::ChatCompletions;
    let request = gateway_router::RouteRequest::parse(api, body.into()).expect("good");
    let reply = within(bench.rig.router.route(request))
        .await
        .expect("served");
    assert_eq!(
        reply.pair.as_ref().map(ToString::to_string).as_deref(),
        Some("split")
    );
    drop(reply);
    let freed = async {
        while bench.d1.stats().running > 0 || bench.d1.stats().aborted == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    within(freed).await;
    let told = [("d1".to_owned(), Cleanup::Stopped)];
    let known = async {
        while bench.rig.reports.cleanups() != told {
            sleep(Duration::from_millis(5)).await;
        }
    };
    within(known).await;
    bench.assert_clean();
}

#[tokio::test]
async fn whoever_listens_last_is_listened_to() {
    let bench = Bench::new(Connector::MindIe).await;
    assert_eq!(bench.ids(1).await.1, "split");
    let mut other = TcpStream::connect(bench.d1.addr())
        .await
        .expect("it listens");
    let ask = b"GET /dresult HTTP/1.1\r\nhost: d\r\n\r\n";
    other.write_all(ask).await.expect("sent");
    let mut head = [0; 12];
    within(other.read_exact(&mut head)).await.expect("answered");
    assert_eq!(&head, b"HTTP/1.1 200");
    let taken = async {
        while bench.rig.router.results()[0].1.is_up {
            sleep(Duration::from_millis(5)).await;
        }
    };
    within(taken).await;
    let (ids, told) = bench.ids(1).await;
    assert!(!ids.is_empty());
    assert_eq!(told, "single_phase; reason=decode_unreachable");
}

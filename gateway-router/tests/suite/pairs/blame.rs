//! Who is to blame for a pair that failed, and who serves its request then.

use std::time::Duration;

use gateway_router::{
    ErrorKind, Fallback, core::health::Availability, proto::engines::transfer::Connector,
};
use tokio::time::sleep;

use super::{
    engine::Act,
    rig::{PairRig, Part, settings},
};

/// Engines that fail what they are to fetch without a word of why.
const WORDLESS: [Connector; 3] = [Connector::Nixl, Connector::TrtLlm, Connector::Mooncake];
const SERIAL: [Connector; 2] = [Connector::Nixl, Connector::TrtLlm];

/// What a stream over these engines says, with who is well then.
async fn one(connector: Connector, parts: &[Part]) -> PairRig {
    let rig = PairRig::new(connector, parts);
    let text = rig.stream().await.expect("served");
    assert_eq!(text, "Hello", "{connector:?} {parts:?}");
    rig.note_health(parts);
    rig.assert_idle().await;
    rig
}

fn last(rig: &PairRig) -> (&'static str, &'static str) {
    rig.legs().pop().expect("somebody was asked")
}

#[tokio::test(start_paused = true)]
async fn a_decode_engine_that_gets_nothing_and_serves_whole_is_well() {
    for connector in WORDLESS {
        let parts = [
            ("p1", Act::Serve),
            ("u", Act::Serve),
            ("d1", Act::FetchNothing(500)),
        ];
        let rig = one(connector, &parts).await;
        assert_eq!(last(&rig), ("d1", "whole"), "{connector:?}");
        assert_eq!(rig.told(), "single_phase; reason=decode_failed");
        assert_eq!(rig.health("d1"), Availability::Up);
        assert_eq!(rig.health("p1"), Availability::Up);
    }
}

#[tokio::test(start_paused = true)]
async fn a_decode_engine_that_fails_whole_requests_too_is_to_blame() {
    for connector in WORDLESS {
        let parts = [
            ("p1", Act::Serve),
            ("d1", Act::Answer(500)),
            ("u", Act::Serve),
        ];
        let rig = PairRig::with_retries(connector, &parts, 1);
        let text = rig.stream().await.expect("one engine alone is due to it");
        assert_eq!(text, "Hello", "{connector:?}");
        rig.note_health(&parts);
        assert_eq!(last(&rig), ("u", "whole"), "{connector:?}");
        assert_eq!(rig.health("d1"), Availability::Open, "{connector:?}");
        assert_eq!(rig.health("p1"), Availability::Up);
        rig.assert_idle().await;
    }
}

/// Where it may not be asked whole, nothing else would ever take it out.
#[tokio::test(start_paused = true)]
async fn a_decode_engine_that_may_not_serve_whole_is_to_blame_at_once() {
    let parts = [
        ("p1", Act::Serve),
        ("d1", Act::FetchNothing(500)),
        ("u", Act::Serve),
    ];
    let rig = PairRig::with(Connector::Nixl, &parts, Fallback::CombinedPool);
    assert_eq!(rig.stream().await.expect("served"), "Hello");
    rig.note_health(&parts);
    assert_eq!(last(&rig), ("u", "whole"));
    assert_eq!(rig.health("d1"), Availability::Open);
    rig.assert_idle().await;
}

#[tokio::test(start_paused = true)]
async fn what_decode_refuses_after_prefill_took_it_is_served_whole() {
    for connector in SERIAL {
        let parts = [("p1", Act::Serve), ("d1", Act::FetchNothing(422))];
        let rig = one(connector, &parts).await;
        assert_eq!(rig.told(), "single_phase; reason=decode_failed");
        let kinds: Vec<_> = rig.legs().into_iter().map(|leg| leg.1).collect();
        assert_eq!(kinds, ["prefill", "decode", "whole"], "{connector:?}");
        assert_eq!(rig.health("d1"), Availability::Up);
    }
}

#[tokio::test(start_paused = true)]
async fn what_decode_refuses_whole_too_is_the_callers_mistake() {
    for connector in SERIAL {
        let parts = [
            ("p1", Act::Serve),
            ("d1", Act::Answer(422)),
            ("u", Act::Serve),
        ];
        let rig = PairRig::new(connector, &parts);
        let error = rig.stream().await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Rejected, "{connector:?}");
        assert_eq!(error.to_api().status, 422);
        let kinds: Vec<_> = rig.legs().into_iter().map(|leg| leg.1).collect();
        assert_eq!(kinds, ["prefill", "decode", "whole"], "{connector:?}");
        rig.assert_idle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_that_were_silent_with_each_other_either_may_serve_whole() {
    for (p1, d1, served_by) in [(Act::Hang, Act::Serve, "d1"), (Act::Serve, Act::Hang, "p1")] {
        let parts = [("p1", p1), ("d1", d1)];
        let mut settings = settings(Connector::Mooncake, &parts);
        settings.deadlines.first_byte = Duration::from_secs(10);
        let rig = PairRig::of(settings, &parts);
        assert_eq!(rig.stream().await.expect("served"), "Hello");
        rig.note_health(&parts);
        rig.assert_idle().await;
        assert_eq!(last(&rig), (served_by, "whole"));
        assert_eq!(rig.told(), "single_phase; reason=transfer_timeout");
        assert_eq!(rig.health(served_by), Availability::Up);
    }
    // These cannot.
    let rig = PairRig::new(Connector::Sglang, &[("p1", Act::Hang), ("d1", Act::Serve)]);
    let error = rig.stream().await.expect_err("nobody is left");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    rig.assert_idle().await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_was_silent_as_long_as_a_first_byte_may_take_is_to_blame() {
    let parts = [("p1", Act::Serve), ("d1", Act::Hang), ("u", Act::Serve)];
    for (total, is_blamed) in [(40, true), (12, false)] {
        for connector in SERIAL {
            let mut settings = settings(connector, &parts);
            settings.deadlines.first_byte = Duration::from_secs(15);
            settings.deadlines.total = Duration::from_secs(total);
            let rig = PairRig::of(settings, &parts);
            let error = rig.ask().await.expect_err("its time is up");
            rig.note_health(&parts);
            let (kind, health) = if is_blamed {
                (ErrorKind::Timeout, Availability::Open)
            } else {
                (ErrorKind::OutOfTime, Availability::Up)
            };
            assert_eq!(error.kind(), kind, "{connector:?} in {total} s");
            assert_eq!(rig.health("d1"), health, "{connector:?} in {total} s");
            assert_eq!(rig.health("p1"), Availability::Up);
            rig.assert_idle().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn prefill_legs_that_end_after_the_answer_began_are_judged_like_others() {
    let ends = [
        (503, Availability::Up),
        (429, Availability::Up),
        (400, Availability::Up),
        (500, Availability::Open),
    ];
    for connector in [Connector::Sglang, Connector::Mooncake] {
        for (status, health) in ends {
            let parts = [("p1", Act::MeetAndAnswer(status)), ("d1", Act::Serve)];
            let rig = PairRig::new(connector, &parts);
            assert_eq!(rig.stream().await.expect("served"), "Hello");
            assert_eq!(rig.told(), "split");
            assert_eq!(rig.booked("p1"), 1, "it is still at it");
            sleep(Duration::from_millis(1_010)).await;
            assert_eq!(rig.booked("p1"), 0);
            rig.note_health(&parts);
            assert_eq!(rig.health("p1"), health, "{connector:?} {status}");
        }
    }
}

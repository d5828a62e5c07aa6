//! Every row of the failure table, for every connector: nothing was shown, so the caller gets one whole answer.

use std::time::Duration;

use gateway_router::{
    Cleanup, ErrorKind, core::health::Availability, proto::engines::transfer::Connector,
};

use super::{
    engine::{Act, lock},
    rig::{DECODE, PREFILL, PairRig, Part, said},
};
use crate::common::rig;

const SERIAL: [Connector; 2] = [Connector::Nixl, Connector::TrtLlm];
const CONCURRENT: [Connector; 2] = [Connector::Mooncake, Connector::Sglang];

/// One stream over these engines.
async fn one(connector: Connector, parts: &[Part]) -> PairRig {
    let rig = PairRig::new(connector, parts);
    let shown = format!("{connector:?} {parts:?}");
    let text = rig.stream().await.expect(&shown);
    assert_eq!(text, "Hello", "{shown}: {:?}", rig.legs());
    rig.note_health(parts);
    rig.assert_idle().await;
    rig
}

/// The legs that were asked to do more than say who they are.
fn worked(rig: &PairRig) -> Vec<&'static str> {
    let legs = rig.legs().into_iter();
    legs.filter(|(_, kind)| *kind != "asked")
        .map(|(name, _)| name)
        .collect()
}

/// Whether both legs are silent where one is.
fn is_silence_shared(connector: Connector, act: Act) -> bool {
    CONCURRENT.contains(&connector) && act == Act::Hang
}

/// Who serves requests whole where a pair fails: a decode engine that can, else one that does everything.
fn alone(connector: Connector, decode: &'static str) -> &'static str {
    if connector.serves_whole() {
        decode
    } else {
        "u"
    }
}

#[tokio::test(start_paused = true)]
async fn a_pair_serves_what_is_well() {
    for connector in Connector::ALL {
        let rig = one(connector, &[("p1", Act::Serve), ("d1", Act::Serve)]).await;
        assert_eq!(worked(&rig), ["p1", "d1"], "{connector:?}");
        let report = rig.rig.reports.only();
        assert_eq!(report.endpoint.as_deref(), Some("d1"));
        let pair = report.pair.expect("a pair");
        let said = format!("split; pair=p1>d1; connector={}", connector.name());
        assert_eq!(format!("{pair:#}"), said);
        assert!(pair.decode_took.is_some());
        assert_eq!(rig.cleanups(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_come_whole_are_split_too() {
    for connector in Connector::ALL {
        let rig = PairRig::new(connector, &[("p1", Act::Serve), ("d1", Act::Serve)]);
        let reply = rig.ask().await.expect("served");
        assert_eq!(
            reply.pair.as_ref().map(ToString::to_string).as_deref(),
            Some("split")
        );
        assert_eq!(said(rig::text(reply).await), "Hello", "{connector:?}");
        rig.assert_idle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_prefill_engine_is_tried_once() {
    for connector in Connector::ALL {
        for act in [Act::Refuse, Act::Answer(500), Act::Hang] {
            if is_silence_shared(connector, act) {
                continue;
            }
            let parts = [("p1", act), ("p2", Act::Serve), ("d1", Act::Serve)];
            let rig = one(connector, &parts).await;
            assert_eq!(rig.told(), "split", "{connector:?} {act:?}");
            assert_eq!(rig.health("p1"), Availability::Open);
            assert_eq!(rig.health("d1"), Availability::Up);
            let pair = rig.rig.reports.only().pair.expect("a pair");
            assert_eq!(pair.tried, 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_prefill_failing_twice_one_engine_serves_alone() {
    let reasons = [
        (Act::Refuse, "prefill_unreachable"),
        (Act::Answer(500), "prefill_failed"),
        (Act::Hang, "prefill_timeout"),
    ];
    for connector in Connector::ALL {
        for (act, reason) in reasons {
            if is_silence_shared(connector, act) {
                continue;
            }
            let parts = [
                ("p1", act),
                ("p2", act),
                ("p3", Act::Serve),
                ("d1", Act::Serve),
                ("u", Act::Serve),
            ];
            let rig = one(connector, &parts).await;
            assert_eq!(rig.told(), format!("single_phase; reason={reason}"));
            let last = rig.legs().pop();
            assert_eq!(
                last,
                Some((alone(connector, "d1"), "whole")),
                "{connector:?} {act:?}"
            );
            assert!(!worked(&rig).contains(&"p3"), "once is enough");
            assert_eq!(rig.health("d1"), Availability::Up);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_prefill_engine_that_hangs_is_given_up_in_time() {
    for connector in SERIAL {
        let began = tokio::time::Instant::now();
        let parts = [("p1", Act::Hang), ("d1", Act::Serve), ("u", Act::Serve)];
        let rig = one(connector, &parts).await;
        assert!(
            began.elapsed() < PREFILL + Duration::from_secs(2),
            "{connector:?}"
        );
        assert_eq!(rig.told(), "single_phase; reason=prefill_timeout");
        assert_eq!(rig.cleanups(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn legs_that_wait_for_each_other_are_given_up_together_and_neither_is_blamed() {
    for connector in CONCURRENT {
        for (p1, d1) in [(Act::Hang, Act::Serve), (Act::Serve, Act::Hang)] {
            let began = tokio::time::Instant::now();
            let parts = [
                ("p1", p1),
                ("p2", Act::Serve),
                ("d1", d1),
                ("u", Act::Serve),
            ];
            let rig = one(connector, &parts).await;
            assert!(began.elapsed() < PREFILL + DECODE + Duration::from_secs(2));
            assert_eq!(rig.told(), "single_phase; reason=transfer_timeout");
            assert_eq!(worked(&rig), ["p1", "d1", "u"], "{connector:?}");
            assert_eq!(rig.health("p1"), Availability::Up);
            assert_eq!(rig.health("d1"), Availability::Up);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_callers_own_mistakes_go_back_to_it() {
    for connector in Connector::ALL {
        let parts = [
            ("p1", Act::Answer(422)),
            ("p2", Act::Serve),
            ("d1", Act::After(PREFILL)),
        ];
        let rig = PairRig::new(connector, &parts);
        let error = rig.stream().await.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::Rejected, "{connector:?}");
        assert_eq!(error.to_api().status, 422);
        rig.note_health(&parts);
        assert!(!worked(&rig).contains(&"p2"));
        assert_eq!(rig.health("p1"), Availability::Up);
        rig.assert_idle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_hand_over_the_prompt_is_computed_anew() {
    for connector in SERIAL {
        let rig = one(connector, &[("p1", Act::HandNothing), ("d1", Act::Serve)]).await;
        assert_eq!(rig.told(), "single_phase; reason=nothing_handed_over");
        assert_eq!(rig.legs(), [("p1", "prefill"), ("d1", "whole")]);
        assert_eq!(rig.health("p1"), Availability::Up);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_ends_with_its_first_token_is_the_prefill_engines() {
    let parts = [("p1", Act::Finish), ("d1", Act::Serve)];
    let rig = one(Connector::TrtLlm, &parts).await;
    assert_eq!(rig.told(), "finished");
    assert_eq!(rig.legs(), [("p1", "prefill")]);
    assert_eq!(rig.rig.reports.only().endpoint.as_deref(), Some("p1"));
    let whole = PairRig::new(Connector::TrtLlm, &parts);
    let reply = whole.ask().await.expect("served");
    assert_eq!(said(rig::text(reply).await), "Hello");
    whole.assert_idle().await;
    // vLLM holds nothing for what has ended: whoever decodes computes it anew.
    let rig = one(Connector::Nixl, &parts).await;
    assert_eq!(rig.told(), "single_phase; reason=nothing_handed_over");
}

#[tokio::test(start_paused = true)]
async fn a_decode_engine_that_fails_is_replaced_by_one_that_does_everything() {
    let reasons = [
        (Act::Refuse, "decode_unreachable"),
        (Act::Answer(500), "decode_failed"),
        (Act::ErrorEvent, "decode_failed"),
        (Act::Hang, "decode_timeout"),
    ];
    for connector in Connector::ALL {
        for (act, reason) in reasons {
            let parts = [
                ("p1", Act::Serve),
                ("d1", act),
                ("d2", Act::Serve),
                ("u", Act::Serve),
            ];
            let shown = format!("{connector:?} {act:?}");
            if is_silence_shared(connector, act) {
                continue;
            }
            let rig = one(connector, &parts).await;
            let reason = format!("single_phase; reason={reason}");
            assert_eq!(rig.told(), reason, "{shown}");
            let last = rig.legs().pop();
            assert_eq!(last, Some((alone(connector, "d2"), "whole")), "{shown}");
            assert_eq!(rig.health("d1"), Availability::Open, "{shown}");
            assert_eq!(rig.health("p1"), Availability::Up, "{shown}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_handed_over_goes_out_once() {
    for connector in SERIAL {
        for act in [Act::Refuse, Act::Answer(500), Act::ErrorEvent, Act::Hang] {
            let parts = [("p1", Act::Serve), ("d1", act), ("d2", Act::Serve)];
            let rig = one(connector, &parts).await;
            let mut kinds: Vec<_> = rig.legs().into_iter().map(|(_, kind)| kind).collect();
            kinds.dedup();
            assert_eq!(
                kinds,
                ["prefill", "decode", "whole"],
                "{connector:?} {act:?}"
            );
            // A decode engine that answers frees what it does not fetch.
            let answers = matches!(act, Act::Answer(_) | Act::ErrorEvent);
            let left = (!answers).then(|| ("p1".to_owned(), Cleanup::LeftToLease));
            assert_eq!(
                rig.cleanups(),
                Vec::from_iter(left),
                "{connector:?} {act:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_leg_that_fails_ends_the_other() {
    for connector in CONCURRENT {
        let late = Act::After(Duration::from_secs(5));
        let fails = Act::FailAfter(Duration::from_secs(1));
        let parts = [("p1", fails), ("d1", late), ("u", Act::Serve)];
        let rig = one(connector, &parts).await;
        assert!(
            lock(&rig.world)
                .dropped
                .iter()
                .any(|(name, _)| *name == "d1")
        );
        assert_eq!(
            rig.cleanups(),
            [("d1".to_owned(), Cleanup::DecodeCancelled)]
        );
        let parts = [
            ("p1", Act::Hang),
            ("d1", Act::Answer(500)),
            ("u", Act::Serve),
        ];
        let rig = one(connector, &parts).await;
        assert!(
            lock(&rig.world)
                .dropped
                .iter()
                .any(|(name, _)| *name == "p1")
        );
        assert_eq!(
            rig.cleanups(),
            [("p1".to_owned(), Cleanup::PrefillCancelled)]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_blames_the_hand_over_is_well() {
    for connector in Connector::ALL {
        let parts = [
            ("p1", Act::Serve),
            ("d1", Act::BlameTransfer),
            ("u", Act::Serve),
        ];
        let rig = one(connector, &parts).await;
        // The others have no words for it.
        let reason = match connector {
            Connector::Sglang | Connector::MindIe => "transfer_failed",
            _ => "decode_failed",
        };
        let told = format!("single_phase; reason={reason}");
        assert_eq!(rig.told(), told, "{connector:?}");
        for (name, _) in parts {
            assert_eq!(rig.health(name), Availability::Up, "{connector:?} {name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_out_of_time_is_no_engines_fault() {
    for connector in Connector::ALL {
        let parts = [("p1", Act::Hang), ("d1", Act::Hang), ("u", Act::Serve)];
        let mut settings = super::rig::settings(connector, &parts);
        settings.deadlines.total = Duration::from_secs(3);
        let rig = PairRig::of(settings, &parts);
        let error = rig.stream().await.expect_err("out of time");
        assert_eq!(error.kind(), ErrorKind::OutOfTime, "{connector:?}");
        rig.note_health(&parts);
        assert_eq!(rig.health("p1"), Availability::Up);
        assert_eq!(rig.health("d1"), Availability::Up);
        assert!(!worked(&rig).contains(&"u"));
        rig.assert_idle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn each_leg_has_a_deadline_of_its_own() {
    let late = [
        ("p1", Act::After(PREFILL - Duration::from_secs(1))),
        ("d1", Act::Serve),
    ];
    assert_eq!(one(Connector::Nixl, &late).await.told(), "split");
    let late = [
        ("p1", Act::Serve),
        ("d1", Act::After(DECODE - Duration::from_secs(1))),
    ];
    assert_eq!(one(Connector::Nixl, &late).await.told(), "split");
    let both = [
        ("p1", Act::After(PREFILL - Duration::from_secs(1))),
        ("d1", Act::After(DECODE - Duration::from_secs(1))),
    ];
    for connector in Connector::ALL {
        assert_eq!(one(connector, &both).await.told(), "split", "{connector:?}");
    }
}

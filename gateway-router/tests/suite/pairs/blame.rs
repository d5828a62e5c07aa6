//! Who is to blame for a pair that failed, and who serves its request then.

use std::time::Duration;

use gateway_router::{ErrorKind, core::health::Availability, proto::engines::transfer::Connector};

use tokio::time::sleep;

use super::{
    engine::Act,
    rig::{PairRig, settings},
};

const SERIAL: [Connector; 2] = [Connector::Nixl, Connector::TrtLlm];

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

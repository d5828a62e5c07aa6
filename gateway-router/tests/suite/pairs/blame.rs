//! Who is to blame for a pair that failed, and who serves its request then.

use std::time::Duration;

use gateway_router::{ErrorKind, core::health::Availability, proto::engines::transfer::Connector};

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

//! Callers that leave: prefill ends at once, decode after its first token or a grace.

use std::time::Duration;

use gateway_router::{Cleanup, Ending, proto::engines::transfer::Connector};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{
    engine::{Act, lock},
    rig::{GRACE, PairRig, Part},
};
use crate::common::rig;

/// Asks, and leaves after `patience`; gives the legs dropped at once and, a while later, all of them and what was told.
async fn leave(
    connector: Connector,
    parts: &[Part],
    patience: Duration,
) -> (Vec<&'static str>, Vec<&'static str>, Vec<(String, Cleanup)>) {
    let rig = PairRig::new(connector, parts);
    let asked = rig.rig.router.route(rig::request(true));
    timeout(patience, asked).await.expect_err("it takes longer");
    assert_eq!(rig.rig.reports.only().ending, Ending::Cancelled);
    assert_eq!(rig.booked("p1"), 0, "prefill has ended");
    let names =
        |rig: &PairRig| -> Vec<_> { lock(&rig.world).dropped.iter().map(|leg| leg.0).collect() };
    let at_once = names(&rig);
    sleep(GRACE + Duration::from_secs(1)).await;
    rig.assert_idle().await;
    (at_once, names(&rig), rig.cleanups())
}

/// Those whose decode leg is an exchange of its own, which must not be torn down in the middle of a hand-over.
const KEPT: [Connector; 4] = [
    Connector::Nixl,
    Connector::Mooncake,
    Connector::Sglang,
    Connector::TrtLlm,
];

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn prefill_ends_at_once() {
    for connector in [Connector::Nixl, Connector::TrtLlm] {
        let parts = [("p1", Act::Hang), ("d1", Act::Serve)];
        let (at_once, all, told) = leave(connector, &parts, SECOND).await;
        assert_eq!((at_once, all), (vec!["p1"], vec!["p1"]));
        assert_eq!(told, [("p1".to_owned(), Cleanup::PrefillCancelled)]);
    }
}

#[tokio::test(start_paused = true)]
async fn decode_is_kept_until_its_first_token() {
    for connector in KEPT {
        let parts = [("p1", Act::Serve), ("d1", Act::After(3 * SECOND))];
        let (at_once, all, told) = leave(connector, &parts, SECOND).await;
        let is_met = matches!(connector, Connector::Sglang | Connector::Mooncake);
        let mut expected = vec![("d1".to_owned(), Cleanup::DecodeAwaited)];
        let mut gone = vec![];
        if is_met {
            // The prefill leg waits for the decode leg, and is not waited for.
            expected.insert(0, ("p1".to_owned(), Cleanup::PrefillCancelled));
            gone.push("p1");
        }
        assert_eq!((at_once, all), (gone.clone(), gone), "{connector:?}");
        assert_eq!(told, expected, "{connector:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn decode_is_not_kept_for_ever() {
    let parts = [("p1", Act::Serve), ("d1", Act::Hang)];
    let (at_once, all, told) = leave(Connector::Nixl, &parts, SECOND).await;
    assert_eq!((at_once, all), (vec![], vec!["d1"]));
    assert_eq!(told, [("d1".to_owned(), Cleanup::DecodeCutOff)]);
}

#[tokio::test(start_paused = true)]
async fn a_decode_engine_is_burdened_until_its_leg_ends() {
    let ends = [
        (Act::After(3 * SECOND), 3 * SECOND),
        (Act::Hang, SECOND + GRACE),
    ];
    for connector in KEPT {
        for (act, ends) in ends {
            let shown = format!("{connector:?} {act:?}");
            let rig = PairRig::new(connector, &[("p1", Act::Serve), ("d1", act)]);
            let began = Instant::now();
            let asked = rig.rig.router.route(rig::request(true));
            timeout(SECOND, asked).await.expect_err("it takes longer");
            assert_eq!(rig.booked("d1"), 1, "{shown}: while it lingers");
            sleep_until(began + ends - SECOND / 10).await;
            assert_eq!(rig.booked("d1"), 1, "{shown}: to its end");
            sleep_until(began + ends + SECOND / 10).await;
            assert_eq!(rig.booked("d1"), 0, "{shown}: and no longer");
        }
    }
}

//! Hundreds of callers with little patience before few places.

use std::time::Duration;

use gateway_router::{ErrorKind, core::Rng};
use tokio::time::{sleep, timeout};

use super::{SECOND, bounded, of, rig, waiting};
use crate::common::memory::Act;

const EACH: u32 = 4;

#[tokio::test(start_paused = true)]
async fn everybody_ends_once_and_nothing_is_left() {
    for seed in [1, 2, 3] {
        println!("seed {seed}");
        storm(seed).await;
    }
}

async fn storm(seed: u64) {
    let acts = [
        Act::ServeAfter(SECOND),
        Act::ServeAfter(SECOND / 3),
        Act::ServeAfter(SECOND / 2),
    ];
    let (rig, _) = rig(&acts, EACH, bounded(60, 20 * SECOND));
    let mut rng = Rng::from_seed(seed);
    let mut tasks = Vec::new();
    for n in 0..600 {
        let mut request = of(n % 7, i8::try_from(rng.below(7)).expect("small") - 3);
        request.view.stream = rng.below(2) == 0;
        let router = rig.router.clone();
        let patience = Duration::from_millis(rng.below(30_000) as u64);
        tasks.push(tokio::spawn(async move {
            timeout(patience, router.route(request)).await
        }));
        if rng.below(3) == 0 {
            sleep(Duration::from_millis(rng.below(200) as u64)).await;
        }
        for endpoint in rig.router.fleet().endpoints() {
            let here = endpoint.state().in_flight().requests;
            assert!(here <= EACH, "{} has {here}", endpoint.name());
        }
        assert!(waiting(&rig) <= 60);
    }
    let (mut served, mut refused, mut impatient) = (0, 0, 0);
    for task in tasks {
        match task.await.expect("no panic") {
            Ok(Ok(_)) => served += 1,
            Ok(Err(error)) => {
                let kind = error.kind();
                let known = [
                    ErrorKind::QueueFull,
                    ErrorKind::QueueTimeout,
                    ErrorKind::Shed,
                ];
                assert!(known.contains(&kind), "{error}");
                refused += 1;
            }
            Err(_elapsed) => impatient += 1,
        }
    }
    assert!(
        served > 100 && refused > 10 && impatient > 10,
        "{served} {refused} {impatient}"
    );
    assert_eq!(rig.reports.all().len(), 600, "one report each");
    assert_eq!(waiting(&rig), 0);
    rig.assert_idle();
    rig.router.route(of(1, 0)).await.expect("and all is well");
}

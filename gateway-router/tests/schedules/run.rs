//! One schedule from its seed to its checks, in virtual time.

use std::time::Duration;

use gateway_router::core::Rng;
use tokio::{
    runtime::{Builder, Handle},
    task::JoinSet,
    time::{sleep, timeout},
};

use std::sync::{Arc, PoisonError};

use crate::{
    caller::{self, Told},
    check::Outcome,
    fault,
    feed::Gossip,
    plan::Plan,
    tally::Tally,
    world::World,
};

/// Nothing takes longer, however much fails.
const AT_MOST: Duration = Duration::from_secs(3_600);
/// What ends of exchanges may take.
const SETTLING: Duration = Duration::from_secs(5);

/// Says which schedule it was when one fails.
struct Named(u64);

impl Drop for Named {
    #[expect(clippy::print_stderr, reason = "a panic has no room for more")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self(seed) = self;
            eprintln!("fault schedule with seed {seed} failed; GATEWAY_SEED={seed} plays it again");
        }
    }
}

pub(crate) fn play(seed: u64) -> Tally {
    let _named = Named(seed);
    let plan = Plan::of(seed);
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let ended = timeout(AT_MOST, through(&plan)).await;
        ended.unwrap_or_else(|_| panic!("seed {seed}: something never ends"))
    })
}

async fn through(plan: &Plan) -> Tally {
    let world = World::of(plan);
    let told = traffic(plan, &world).await;
    sleep(SETTLING).await;
    let journal = world.journal.lock();
    let outcome = Outcome {
        plan,
        told: &told,
        reports: world.rig.reports.all(),
        cleanups: world.rig.reports.cleanup_reports(),
        journal: journal.unwrap_or_else(PoisonError::into_inner).clone(),
    };
    outcome.check(&world);
    let handed_over = world.handovers.made();
    world.handovers.forget();
    drop(world);
    sleep(Duration::from_millis(1)).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    assert_eq!(tasks, 0, "seed {}: tasks left running", plan.seed);
    Tally::of(plan, &told, &outcome.reports, handed_over)
}

/// Callers come and go while engines fail.
async fn traffic(plan: &Plan, world: &Arc<World>) -> Vec<Told> {
    let (mut faults, mut feeds) = (JoinSet::new(), JoinSet::new());
    for (engine, told) in world.engines.iter().zip(&plan.engines) {
        let (world, engine) = (Arc::clone(world), Arc::clone(engine));
        if plan.has_feeds {
            let gossip = Gossip {
                engine: Arc::clone(&engine),
                world: Arc::clone(&world),
                rng: Rng::from_seed(told.feed_seed),
                feed: None,
                seq: 0,
            };
            feeds.spawn(gossip.run());
        }
        faults.spawn(fault::befall(world, engine, told.turns.clone()));
    }
    let mut callers = JoinSet::new();
    for caller in &plan.callers {
        callers.spawn(caller::ask(world.rig.router.clone(), caller.clone()));
    }
    let told = callers.join_all().await;
    faults.join_all().await;
    feeds.shutdown().await;
    told
}

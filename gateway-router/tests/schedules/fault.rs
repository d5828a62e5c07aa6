//! What befalls an engine, and when.

use std::{sync::Arc, time::Duration};

use gateway_router::core::Rng;
use tokio::time::sleep;

use crate::{
    engine::{Ambush, Engine, Mode, PACE, Says, Strike},
    plan::{millis, one_in},
    world::World,
};

/// A fault, after a time without one.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    after: Duration,
    fault: Fault,
    lasts: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The process is killed, and comes back as a new one.
    Kill,
    /// Says nothing, to requests or probes.
    Hang,
    /// Writes at this pace.
    Slow(Duration),
    /// Answers this status.
    Refuse(u16),
    /// About half of what it is writing is struck.
    Strike(Strike),
    /// The next call is struck at this place.
    Ambush(Ambush),
    /// Serves well, and says of itself what is not so.
    Say(Says),
    /// Prompts are handed over neither from it nor to it.
    HandNothingOver,
    /// Its name leads nowhere, while it serves on.
    Unlist,
}

pub(crate) fn drawn(rng: &mut Rng) -> Turn {
    Turn {
        after: millis(rng, 0..1_200),
        fault: any(rng),
        lasts: millis(rng, 1..2_500),
    }
}

fn any(rng: &mut Rng) -> Fault {
    match rng.below(14) {
        0..=2 => Fault::Kill,
        3 => Fault::Hang,
        // Some are slower than the patience with a stream.
        4 => Fault::Slow(millis(rng, 50..1_300)),
        5 => Fault::Refuse([429, 500, 503][rng.below(3)]),
        6 | 7 => Fault::Strike(strike(rng)),
        8 | 9 => Fault::Ambush(Ambush {
            after: rng.below(24) as u64,
            strike: strike(rng),
        }),
        10 => Fault::Say([Says::Ill, Says::Nothing][rng.below(2)]),
        11 if one_in(rng, 2) => Fault::Say(Says::Nonsense),
        11 => Fault::Say(Says::Late(millis(rng, 1..900))),
        12 => Fault::HandNothingOver,
        _ => Fault::Unlist,
    }
}

fn strike(rng: &mut Rng) -> Strike {
    let all = [
        Strike::Drop,
        Strike::ErrorEvent,
        Strike::Abort,
        Strike::Recompute,
    ];
    all[rng.below(all.len())]
}

/// Has the turns happen to `engine`, which is well in the end.
pub(crate) async fn befall(world: Arc<World>, engine: Arc<Engine>, turns: Vec<Turn>) {
    for Turn {
        after,
        fault,
        lasts,
    } in turns
    {
        sleep(after).await;
        begin(&world, &engine, fault);
        if let Fault::Strike(_) | Fault::Ambush(_) = fault {
            continue;
        }
        sleep(lasts).await;
        engine.change(|now| {
            now.mode = Mode::Well;
            now.pace = PACE;
            now.says = Says::Truth;
            now.transfers = true;
        });
        world.list(engine.name, true);
    }
}

fn begin(world: &World, engine: &Engine, fault: Fault) {
    match fault {
        Fault::Kill => engine.kill(),
        Fault::Hang => engine.change(|now| now.mode = Mode::Hung),
        Fault::Slow(pace) => engine.change(|now| now.pace = pace),
        Fault::Refuse(status) => engine.change(|now| now.mode = Mode::Refuses(status)),
        Fault::Strike(strike) => engine.change(|now| {
            now.strike = strike;
            now.strikes += 1;
        }),
        Fault::Ambush(ambush) => engine.ambush(ambush),
        Fault::Say(says) => engine.change(|now| now.says = says),
        Fault::HandNothingOver => engine.change(|now| now.transfers = false),
        Fault::Unlist => world.list(engine.name, false),
    }
}

//! Blows at random, one engine at a time, with at least one that serves.

use std::{sync::Arc, time::Duration};

use gateway_router::core::Rng;
use tokio::time::sleep;

use crate::{crowd::Crowd, fleet::Fleet};

pub(crate) struct Havoc {
    pub(crate) fleet: Fleet,
    crowd: Arc<Crowd>,
    rng: Rng,
    done: Vec<String>,
}

impl Havoc {
    pub(crate) fn of(fleet: Fleet, crowd: Arc<Crowd>, seed: u64) -> Self {
        Self {
            fleet,
            crowd,
            rng: Rng::from_seed(seed),
            done: Vec::new(),
        }
    }

    /// All that was done, in order.
    pub(crate) fn story(&self) -> String {
        self.done.join(", ")
    }

    /// One blow: an engine that serves is killed or stopped, or one that does not comes back.
    pub(crate) async fn strike(&mut self) {
        let engines = &self.fleet.engines;
        let up: Vec<_> = (0..engines.len())
            .filter(|&at| engines[at].serves())
            .collect();
        let down: Vec<_> = (0..engines.len())
            .filter(|&at| !engines[at].serves())
            .collect();
        let hits = up.len() > 1 && (down.is_empty() || self.rng.below(3) > 0);
        if hits {
            let at = up[self.rng.below(up.len())];
            self.hit(at);
        } else {
            let at = down[self.rng.below(down.len())];
            self.bring_back(at);
        }
        self.pause().await;
    }

    fn hit(&mut self, at: usize) {
        let engine = &mut self.fleet.engines[at];
        if self.rng.below(3) == 0 {
            engine.stop();
            self.done.push(format!("stop {}", engine.name));
        } else {
            engine.kill();
            self.done.push(format!("kill {}", engine.name));
        }
    }

    pub(crate) fn bring_back(&mut self, at: usize) {
        let engine = &mut self.fleet.engines[at];
        if engine.is_stopped {
            engine.go_on();
            self.done.push(format!("go on {}", engine.name));
        } else {
            self.done.push(format!("start {}", engine.name));
            self.fleet.restart(at);
        }
    }

    /// Kills all but one, which is any of them.
    pub(crate) async fn leave_one(&mut self) {
        let engines = &self.fleet.engines;
        let up: Vec<_> = (0..engines.len())
            .filter(|&at| engines[at].serves())
            .collect();
        let survivor = up[self.rng.below(up.len())];
        for at in (0..self.fleet.engines.len()).filter(|&at| at != survivor) {
            let engine = &mut self.fleet.engines[at];
            if engine.is_alive() {
                engine.kill();
                self.done.push(format!("kill {}", engine.name));
                self.pause().await;
            }
        }
    }

    /// Kills all but one in the same moment.
    pub(crate) fn leave_one_at_once(&mut self) {
        let engines = &mut self.fleet.engines;
        let survivor = self.rng.below(engines.len());
        for (at, engine) in engines.iter_mut().enumerate() {
            if at != survivor {
                engine.kill();
                self.done.push(format!("kill {}", engine.name));
            }
        }
    }

    /// A while that ends no earlier than all streams have gone on and the gateway has seen what was done.
    async fn pause(&mut self) {
        let while_ms = self.rng.below(700) as u64;
        sleep(Duration::from_millis(while_ms)).await;
        self.crowd.all_move_on().await;
        self.fleet.until_all_are_known().await;
    }
}

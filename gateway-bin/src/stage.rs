//! Where the process is in its life.

use tokio::sync::watch;

/// The stages, in order; none is ever gone back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// All is served.
    Serving,
    /// All is served, but `/ready` fails so that load balancers look elsewhere.
    Draining,
    /// No new connections; what is in flight goes on, idle connections are closed.
    Closing,
    /// What is still in flight is cut.
    Cut,
}

/// The stage, to be moved on and waited for.
#[derive(Clone, Debug)]
pub(crate) struct Stages(watch::Sender<Stage>);

impl Stages {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Stage::Serving))
    }

    pub(crate) fn now(&self) -> Stage {
        *self.0.borrow()
    }

    /// Moves on to `stage`, unless already there or beyond.
    pub(crate) fn advance(&self, stage: Stage) {
        self.0.send_if_modified(|now| {
            let on = *now < stage;
            *now = stage.max(*now);
            on
        });
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Stage> {
        self.0.subscribe()
    }

    /// Ends when `stage` is reached.
    pub(crate) async fn reached(&self, stage: Stage) {
        wait(&mut self.subscribe(), stage).await;
    }
}

/// Ends when `stage` is reached.
pub(crate) async fn wait(stages: &mut watch::Receiver<Stage>, stage: Stage) {
    if stages.wait_for(|now| *now >= stage).await.is_err() {
        // Nobody is left to move on, so the process is going down.
        std::future::pending().await
    }
}

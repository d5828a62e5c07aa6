//! What the process does on signals.

use std::{io, sync::Arc};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
};

use crate::stage::{Stage, Stages};

/// The signals, caught from the moment this is there; what comes before [`follow`](Self::follow) waits.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Catches SIGTERM, SIGINT and SIGHUP. Call inside a runtime.
    ///
    /// # Errors
    /// Where the system refuses.
    pub(crate) fn catch() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// SIGTERM and SIGINT drain, the second of them cuts; SIGHUP asks for a reload.
    pub(crate) async fn follow(mut self, stages: Stages, reload: Arc<Notify>) {
        let mut told = false;
        loop {
            tokio::select! {
                _ = self.hangup.recv() => {
                    reload.notify_one();
                    continue;
                }
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            stages.advance(if told { Stage::Cut } else { Stage::Draining });
            told = true;
        }
    }
}

//! What the process does on signals.

use std::{io, sync::Arc};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
};

use crate::stage::{Stage, Stages};

/// SIGTERM and SIGINT drain, the second of them cuts; SIGHUP asks for a reload.
pub(crate) async fn watch(stages: Stages, reload: Arc<Notify>) {
    let all = || -> io::Result<[Signal; 3]> {
        Ok([
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        ])
    };
    let [mut terminate, mut interrupt, mut hangup] = match all() {
        Ok(signals) => signals,
        Err(error) => {
            return tracing::error!(%error, "signals cannot be listened to; a kill ends at once");
        }
    };
    let mut told = false;
    loop {
        tokio::select! {
            _ = hangup.recv() => {
                reload.notify_one();
                continue;
            }
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stages.advance(if told { Stage::Cut } else { Stage::Draining });
        told = true;
    }
}

//! A request's place at a decode engine, and what is owed where it is given up.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::join;
use gateway_proto::engines::transfer::mindie::What;

use super::super::legs::Owed;
use crate::{
    Cleanup, ErrorKind, Retry, RouteError,
    engine::EngineClient,
    results::{Lost, Seat},
};

/// Which engines have the request. Neither sees from any connection that nobody wants it any more: they must be told.
#[derive(Debug)]
pub(in crate::dispatch::pair) struct Duty {
    prefill: AtomicBool,
    decode: AtomicBool,
}

impl Duty {
    fn both() -> Arc<Self> {
        Arc::new(Self {
            prefill: AtomicBool::new(true),
            decode: AtomicBool::new(true),
        })
    }

    /// The prefill engine has answered. Where it says that it failed, it has handed nothing over.
    pub(in crate::dispatch::pair) fn prefilled(&self, answer: &Result<Bytes, RouteError>) {
        match answer {
            Ok(_) => self.prefill.store(false, Relaxed),
            Err(error) => {
                let is_told = matches!(
                    error.kind(),
                    ErrorKind::Connect
                        | ErrorKind::EngineFailed
                        | ErrorKind::Busy
                        | ErrorKind::Rejected
                );
                if is_told {
                    self.settle();
                }
            }
        }
    }

    /// Neither has it any more.
    pub(in crate::dispatch::pair) fn settle(&self) {
        self.prefill.store(false, Relaxed);
        self.decode.store(false, Relaxed);
    }

    fn take(&self) -> (bool, bool) {
        (
            self.prefill.swap(false, Relaxed),
            self.decode.swap(false, Relaxed),
        )
    }
}

/// Who is to be told that a request is over, and in what words.
pub(in crate::dispatch::pair) struct Stopping {
    pub(in crate::dispatch::pair) prefill: Arc<dyn EngineClient>,
    pub(in crate::dispatch::pair) decode: Arc<dyn EngineClient>,
    pub(in crate::dispatch::pair) model: String,
    pub(in crate::dispatch::pair) owed: Owed,
}

/// A request's place at a decode engine. Dropped before its answer is over, it has both engines told, in the background and
/// once.
pub(in crate::dispatch::pair) struct Claim {
    seat: Seat,
    duty: Arc<Duty>,
    stopping: Arc<Stopping>,
}

impl Claim {
    pub(super) fn new(seat: Seat, stopping: Arc<Stopping>) -> Self {
        Self {
            seat,
            duty: Duty::both(),
            stopping,
        }
    }

    pub(in crate::dispatch::pair) fn duty(&self) -> &Arc<Duty> {
        &self.duty
    }

    /// The next part of the answer.
    pub(super) fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Result<(What, Bytes), Lost>> {
        let part = self.seat.poll_next(cx);
        if let Poll::Ready(Ok((what, _))) = &part
            && *what != What::Data
        {
            self.duty.decode.store(false, Relaxed);
        }
        part
    }

    /// The same, with an error that says why nothing more comes.
    pub(in crate::dispatch::pair) async fn part(&mut self) -> Result<(What, Bytes), RouteError> {
        let part = poll_fn(|cx| self.poll_part(cx)).await;
        part.map_err(|lost| match lost {
            Lost::Link => RouteError::engine(
                ErrorKind::Closed,
                Retry::OtherEndpoint,
                "The decode engine's answers broke off.",
            ),
            Lost::TooSlow => RouteError::engine(
                ErrorKind::OutOfTime,
                Retry::OtherEndpoint,
                "The decode engine's answer was not taken in time.",
            ),
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let (prefill, decode) = self.duty.take();
        if !prefill && !decode {
            return;
        }
        let stopping = Arc::clone(&self.stopping);
        let id = self.seat.id().to_owned();
        let owed = &self.stopping.owed;
        let telling = async move {
            let prefill = async {
                if prefill {
                    tell(&stopping, &stopping.prefill, &stopping.owed.prefill, &id).await;
                }
            };
            let decode = async {
                if decode {
                    tell(&stopping, &stopping.decode, &stopping.owed.decode, &id).await;
                }
            };
            join!(prefill, decode);
        };
        if owed.lingers.keep(telling) {
            return;
        }
        for (is_owed, endpoint) in [(prefill, &owed.prefill), (decode, &owed.decode)] {
            if is_owed {
                owed.tell(endpoint, Cleanup::NoRoom);
            }
        }
    }
}

async fn tell(stopping: &Stopping, engine: &Arc<dyn EngineClient>, endpoint: &Arc<str>, id: &str) {
    let cleanup = match engine.stop(&stopping.model, id).await {
        Ok(()) => Cleanup::Stopped,
        Err(_) => Cleanup::StopFailed,
    };
    stopping.owed.tell(endpoint, cleanup);
}

//! The strands of an answer side by side.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::task::AtomicWaker;
use gateway_proto::ir::{Event, Usage};

use super::{report::Telling, strand::Strand};
use crate::{RouteError, Router};

/// All strands of an answer. Each is looked at only when something of it may have come, and in turn, so that no choice
/// waits for another's end.
pub(super) struct Strands {
    router: Router,
    strands: Vec<Watched>,
    /// The task that reads the answer.
    reader: Arc<AtomicWaker>,
    turn: usize,
    /// Strands that are not over.
    open: usize,
    telling: Telling,
    /// Whether the caller is told the cost so far with all that comes.
    tells_cost: bool,
}

struct Watched {
    strand: Strand,
    bell: Arc<Bell>,
    waker: Waker,
    is_over: bool,
}

/// Rung by a strand that has something to tell; wakes the answer's reader.
struct Bell {
    is_rung: AtomicBool,
    reader: Arc<AtomicWaker>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_rung.store(true, Ordering::Release);
        self.reader.wake();
    }
}

impl Watched {
    /// Looked at once in any case.
    fn new(strand: Strand, reader: &Arc<AtomicWaker>) -> Self {
        let bell = Arc::new(Bell {
            is_rung: AtomicBool::new(true),
            reader: Arc::clone(reader),
        });
        Self {
            strand,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            is_over: false,
        }
    }
}

impl Strands {
    /// `telling` knows the tokens of all prompts, once each.
    pub(super) fn new(
        router: Router,
        strands: Vec<Strand>,
        telling: Telling,
        tells_cost: bool,
    ) -> Self {
        let reader = Arc::new(AtomicWaker::new());
        let watched = strands
            .into_iter()
            .map(|strand| Watched::new(strand, &reader));
        let strands: Vec<_> = watched.collect();
        Self {
            router,
            open: strands.len(),
            strands,
            reader,
            turn: 0,
            telling,
            tells_cost,
        }
    }

    /// Appends what has come to `out`. Ready with events appended, or when all strands are over (`false`).
    ///
    /// # Errors
    /// Where one of them broke.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Vec<Event>,
    ) -> Poll<Result<bool, RouteError>> {
        // Before the bells are looked at: one that rings behind the look wakes the reader again.
        self.reader.register(cx.waker());
        let count = self.strands.len();
        for _ in 0..count {
            let at = self.turn % count;
            self.turn = at + 1;
            let one = &mut self.strands[at];
            if one.is_over || !one.bell.is_rung.swap(false, Ordering::AcqRel) {
                continue;
            }
            let mut own = Context::from_waker(&one.waker);
            let report = &mut self.telling.report;
            match one.strand.poll(&mut own, &self.router, report, out) {
                Poll::Pending => {}
                Poll::Ready(Ok(false)) => {
                    one.is_over = true;
                    self.open -= 1;
                }
                Poll::Ready(told) => {
                    // It may have more.
                    one.bell.is_rung.store(true, Ordering::Release);
                    return Poll::Ready(told);
                }
            }
        }
        if self.open == 0 {
            Poll::Ready(Ok(false))
        } else {
            Poll::Pending
        }
    }

    /// The cost so far, where the caller wants it with all that comes.
    pub(super) fn cost(&self) -> Option<Usage> {
        self.tells_cost.then(|| self.usage())
    }

    /// What the caller is told: its prompts once each, and every token that was written for it.
    pub(super) fn usage(&self) -> Usage {
        let strands = || self.strands.iter().map(|one| &one.strand);
        let (completion_tokens, reasoning_tokens) = strands()
            .map(Strand::written)
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let told = || strands().filter_map(Strand::cached_tokens);
        let cached_tokens = told().next().map(|_| told().sum());
        Usage {
            prompt_tokens: self.telling.report.prompt_tokens,
            completion_tokens,
            cached_tokens,
            reasoning_tokens: Some(reasoning_tokens),
        }
    }
}

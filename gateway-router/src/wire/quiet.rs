//! A waker that keeps silent about what its own task does.
//!
//! A connection and the reply it carries talk through channels, and whoever drives both polls both each time. Every word
//! between them wakes the task that is running already, which then runs once more for nothing: with a stream of small
//! chunks that is a good part of the work. This waker notes such calls and passes on only those that nobody has
//! answered by the time the poll ends.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicU8,
            Ordering::{AcqRel, Acquire, Release},
        },
    },
    task::{Context, Wake, Waker},
};

/// Nobody polls: a call goes straight to the task.
const IDLE: u8 = 0;
/// The task polls.
const POLLING: u8 = 1;
/// The task polls, and somebody called meanwhile.
const CALLED: u8 = 2;

pub(crate) struct Quiet {
    shared: Arc<Shared>,
    waker: Waker,
}

struct Shared {
    state: AtomicU8,
    task: Mutex<Waker>,
}

impl Quiet {
    pub(crate) fn new() -> Self {
        let shared = Arc::new(Shared {
            state: AtomicU8::new(IDLE),
            task: Mutex::new(Waker::noop().clone()),
        });
        let waker = Waker::from(Arc::clone(&shared));
        Self { shared, waker }
    }

    /// Begins a poll by the task of `cx`.
    pub(crate) fn begin(&self, cx: &Context<'_>) {
        self.shared.task().clone_from(cx.waker());
        self.shared.state.store(POLLING, Release);
    }

    /// What to poll with.
    pub(crate) fn context(&self) -> Context<'_> {
        Context::from_waker(&self.waker)
    }

    /// Calls up to here are answered by what is polled next.
    pub(crate) fn answered(&self) {
        self.shared.state.swap(POLLING, AcqRel);
    }

    /// Ends a poll. Where it goes on waiting, calls that were not answered reach the task.
    pub(crate) fn end(&self, waits: bool) {
        if self.shared.state.swap(IDLE, AcqRel) == CALLED && waits {
            self.shared.task().wake_by_ref();
        }
    }
}

impl Shared {
    fn task(&self) -> MutexGuard<'_, Waker> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // One step decides: either the poll that runs will see the call at its end, or the task is woken here.
        let noted = self
            .state
            .fetch_update(AcqRel, Acquire, |state| (state != IDLE).then_some(CALLED));
        if noted.is_err() {
            self.task().wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    fn rig() -> (Quiet, Arc<Calls>) {
        (Quiet::new(), Arc::new(Calls::default()))
    }

    #[test]
    fn calls_between_polls_reach_the_task_that_polled_last() {
        let (quiet, calls) = rig();
        let task = Waker::from(Arc::clone(&calls));
        quiet.begin(&Context::from_waker(&task));
        quiet.end(true);
        assert_eq!(calls.0.load(SeqCst), 0);
        quiet.waker.wake_by_ref();
        assert_eq!(calls.0.load(SeqCst), 1);
    }

    #[test]
    fn calls_during_a_poll_reach_the_task_only_if_nothing_answered_them() {
        let (quiet, calls) = rig();
        let task = Waker::from(Arc::clone(&calls));
        for (answered, waits, woken) in [(true, true, 0), (false, false, 0), (false, true, 1)] {
            calls.0.store(0, SeqCst);
            quiet.begin(&Context::from_waker(&task));
            quiet.waker.wake_by_ref();
            if answered {
                quiet.answered();
            }
            quiet.end(waits);
            assert_eq!(
                calls.0.load(SeqCst),
                woken,
                "answered {answered}, waits {waits}"
            );
        }
    }

    #[test]
    fn no_call_from_another_thread_is_lost() {
        let (quiet, calls) = rig();
        let task = Waker::from(Arc::clone(&calls));
        for round in 0..2_000 {
            calls.0.store(0, SeqCst);
            std::thread::scope(|scope| {
                let caller = quiet.waker.clone();
                scope.spawn(move || caller.wake());
                quiet.begin(&Context::from_waker(&task));
                quiet.end(true);
            });
            // Before `begin` the call goes to the task of the round before, which is the same.
            assert!(round == 0 || calls.0.load(SeqCst) == 1, "round {round}");
        }
    }
}

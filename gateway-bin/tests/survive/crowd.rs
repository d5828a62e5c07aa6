//! Callers that ask one question after another, each with an eye on its neighbour's progress.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::sleep};

use crate::{
    client::{self, Answer},
    fleet::Fleet,
};

/// Different questions.
const QUESTIONS: usize = 24;
/// Events that show that a stream goes on.
const PROGRESS: usize = 10;

/// What the streams came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) whole: usize,
    /// What was wrong with each of the others.
    pub(crate) broken: Vec<String>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} streams whole, {} broken",
            self.whole,
            self.broken.len()
        )
    }
}

pub(crate) struct Crowd {
    gateway: SocketAddr,
    /// The undisturbed answers.
    expected: Vec<Answer>,
    /// Events that each caller has got in all.
    progress: Vec<AtomicUsize>,
    tally: Mutex<Tally>,
    is_closed: AtomicBool,
}

impl Crowd {
    /// Asks each question once, while nothing fails.
    pub(crate) async fn learn(fleet: &Fleet, streams: usize) -> Self {
        let mut asking = JoinSet::new();
        for number in 0..QUESTIONS {
            let gateway = fleet.gateway;
            asking.spawn(async move { (number, client::ask(gateway, number, |_| {}).await) });
        }
        let mut expected = asking.join_all().await;
        expected.sort_by_key(|(number, _)| *number);
        let expected = expected
            .into_iter()
            .map(|(_, answer)| answer.expect("nothing fails"));
        let crowd = Self {
            gateway: fleet.gateway,
            expected: expected.collect(),
            progress: (0..streams).map(|_| AtomicUsize::new(0)).collect(),
            tally: Mutex::default(),
            is_closed: AtomicBool::new(false),
        };
        let lengths = crowd.expected.iter().map(|answer| answer.text.len());
        let is_long = lengths.clone().all(|length| length > 100);
        let lengths: Vec<_> = lengths.collect();
        assert!(is_long, "answers to be broken off: {lengths:?}");
        crowd
    }

    pub(crate) fn enter(self: Arc<Self>) -> JoinSet<()> {
        let mut callers = JoinSet::new();
        for at in 0..self.progress.len() {
            callers.spawn(Arc::clone(&self).call(at));
        }
        callers
    }

    async fn call(self: Arc<Self>, at: usize) {
        let mut number = at;
        while !self.is_closed.load(Relaxed) {
            number = (number + 7) % QUESTIONS;
            let told = client::ask(self.gateway, number, |events| {
                self.progress[at].fetch_add(events, Relaxed);
            });
            let told = told.await;
            let mut tally = self.tally_mut();
            match told {
                Ok(answer) if answer == self.expected[number] => tally.whole += 1,
                Ok(answer) => {
                    let expected = &self.expected[number];
                    tally
                        .broken
                        .push(format!("{answer:?} in place of {expected:?}"));
                }
                Err(error) => tally.broken.push(format!("{error:#}")),
            }
        }
    }

    /// No more questions.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Relaxed);
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally_mut().clone()
    }

    pub(crate) async fn all_are_under_way(&self) {
        self.all_move_on().await;
    }

    /// Waits until each stream has got a few more events: two engines that die at the same place of an answer may have
    /// died of it, and nobody takes it up for the third time.
    pub(crate) async fn all_move_on(&self) {
        let count = |progress: &AtomicUsize| progress.load(Relaxed);
        let before: Vec<_> = self.progress.iter().map(count).collect();
        for _ in 0..600 {
            let mut pairs = self.progress.iter().zip(&before);
            if pairs.all(|(now, before)| count(now) >= before + PROGRESS) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("streams stand still: {}", self.tally());
    }

    fn tally_mut(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

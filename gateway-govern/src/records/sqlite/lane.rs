//! A thread that owns a connection.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::records::StoreError;
use crate::records::error::Trouble;

/// Most calls that wait for one thread.
const QUEUE: usize = 1024;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A thread that owns a connection and does one thing after the other. Ends, with all that waits done, when dropped.
#[derive(Debug)]
pub(super) struct Lane {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Lane {
    pub(super) fn start(name: &str, connection: Connection) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(connection, &queue))
            .map_err(|error: io::Error| StoreError::Unavailable(Box::new(error)))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Does `work` on the thread. It is done even if nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody may be waiting.
            let _ = answer.send(work(connection));
        });
        let jobs = self.jobs.as_ref().ok_or(Trouble::Stopped)?;
        jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => Trouble::Busy,
            TrySendError::Disconnected(_) => Trouble::Stopped,
        })?;
        answered.await.map_err(|_| Trouble::Stopped)?
    }
}

fn work(mut connection: Connection, queue: &Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        job(&mut connection);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so already.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_refuses_and_what_waits_is_done() {
        let lane = Lane::start("test", Connection::open_in_memory().unwrap()).unwrap();
        let (free, held) = sync_channel::<()>(0);
        let (begun, begins) = sync_channel::<()>(0);
        let blocker: Job = Box::new(move |_| {
            begun.send(()).unwrap();
            held.recv().unwrap();
        });
        let (done, count) = sync_channel(QUEUE);
        let jobs = lane.jobs.clone().unwrap();
        jobs.send(blocker).unwrap();
        begins.recv().unwrap();
        for _ in 0..QUEUE {
            let done = done.clone();
            jobs.try_send(Box::new(move |_| done.send(()).unwrap()))
                .unwrap();
        }
        let refused = lane.run(|_| Ok(())).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))));
        free.send(()).unwrap();
        drop((jobs, lane, done));
        assert_eq!(count.iter().count(), QUEUE);
    }
}

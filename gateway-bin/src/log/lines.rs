//! The queue of finished lines.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::SyncSender,
    },
};

use arc_swap::ArcSwapOption;

/// The most bytes queued: lines may hold a caller's words, so that counting lines alone bounds little.
pub(super) const BYTES_AT_MOST: usize = 4 << 20;

/// Counts log lines that were dropped; copies count together.
#[derive(Clone, Debug, Default)]
pub struct LostLines(Arc<AtomicU64>);

impl LostLines {
    /// How many so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub(super) fn add(&self, lines: u64) {
        self.0.fetch_add(lines, Relaxed);
    }
}

/// Takes lines, one a write, and never waits.
#[derive(Debug)]
pub(super) struct Lines {
    /// Empty once the process ends: the writer sees the end of the queue when the last sender is gone.
    queue: ArcSwapOption<SyncSender<Box<[u8]>>>,
    queued_bytes: AtomicUsize,
    pub(super) lost: LostLines,
}

impl Lines {
    pub(super) fn new(queue: SyncSender<Box<[u8]>>) -> Self {
        Self {
            queue: ArcSwapOption::from_pointee(queue),
            queued_bytes: AtomicUsize::new(0),
            lost: LostLines::default(),
        }
    }

    /// Takes no more lines.
    pub(super) fn close(&self) {
        self.queue.store(None);
    }

    /// The writer has taken `bytes` off the queue.
    pub(super) fn taken(&self, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes, Relaxed);
    }

    /// Whether there was room.
    fn push(&self, line: &[u8]) -> bool {
        let queue = self.queue.load();
        let Some(queue) = &*queue else {
            return false;
        };
        let queued = self.queued_bytes.fetch_add(line.len(), Relaxed) + line.len();
        let pushed = queued <= BYTES_AT_MOST && queue.try_send(line.into()).is_ok();
        if !pushed {
            self.taken(line.len());
        }
        pushed
    }
}

impl io::Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !self.push(line) {
            self.lost.add(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! The thread that writes.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use super::lines::Lines;

/// The most lines queued.
pub(super) const LINES_AT_MOST: usize = 4_096;
/// A batch that has come to this size takes no further line.
const BATCH_BYTES: usize = 64 << 10;
/// How long the first line of a batch waits for others, so that a busy gateway does not wake the writer for each line.
const GATHER: Duration = Duration::from_millis(5);
/// How long the end of the process waits for what is queued.
const FLUSH_AT_MOST: Duration = Duration::from_secs(1);

/// When dropped, closes the queue and waits a moment for what is in it to be written.
#[derive(Debug)]
pub(super) struct Flush {
    lines: Arc<Lines>,
    /// Disconnected when the writer is through.
    done: Receiver<()>,
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.lines.close();
        // Nothing is ever sent: this ends by the writer's end or by the time.
        self.done.recv_timeout(FLUSH_AT_MOST).unwrap_or_default();
    }
}

/// Starts a thread that writes to `out`.
///
/// # Errors
/// Where the system gives no thread.
pub(super) fn spawn(mut out: impl Write + Send + 'static) -> io::Result<(Arc<Lines>, Flush)> {
    let (sender, queue) = sync_channel(LINES_AT_MOST);
    let (alive, done) = sync_channel(0);
    let lines = Arc::new(Lines::new(sender));
    let own = Arc::clone(&lines);
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || {
            run(&queue, &own, &mut out);
            drop(alive);
        })?;
    let flush = Flush {
        lines: Arc::clone(&lines),
        done,
    };
    Ok((lines, flush))
}

/// Writes batches until the queue is closed and empty.
fn run(queue: &Receiver<Box<[u8]>>, lines: &Lines, out: &mut impl Write) {
    let mut batch = Vec::with_capacity(BATCH_BYTES);
    while let Ok(first) = queue.recv() {
        thread::sleep(GATHER);
        batch.extend_from_slice(&first);
        let mut count = 1;
        while batch.len() < BATCH_BYTES
            && let Ok(line) = queue.try_recv()
        {
            batch.extend_from_slice(&line);
            count += 1;
        }
        lines.taken(batch.len());
        if out.write_all(&batch).is_err() {
            lines.lost.add(count);
        }
        batch.clear();
    }
}

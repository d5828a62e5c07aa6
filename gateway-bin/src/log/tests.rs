use std::{
    io::{self, Write},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use super::{
    lines::{BYTES_AT_MOST, Lines},
    writer::{LINES_AT_MOST, spawn},
};

/// A reader that takes nothing until it is let go.
struct Gate {
    /// Told each time a write begins.
    begun: SyncSender<()>,
    /// Writes wait until the other end is gone.
    closed: Receiver<()>,
    written: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Write for Gate {
    fn write(&mut self, batch: &[u8]) -> io::Result<usize> {
        self.begun.try_send(()).unwrap_or_default();
        self.closed.recv().unwrap_or_default();
        self.written.lock().expect("lives").push(batch.to_vec());
        Ok(batch.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Opened {
    begun: Receiver<()>,
    open: SyncSender<()>,
    written: Arc<Mutex<Vec<Vec<u8>>>>,
}

fn gate() -> (Gate, Opened) {
    let (begin, begun) = sync_channel(1);
    let (open, closed) = sync_channel(0);
    let written = Arc::default();
    let gate = Gate {
        begun: begin,
        closed,
        written: Arc::clone(&written),
    };
    (
        gate,
        Opened {
            begun,
            open,
            written,
        },
    )
}

fn write(lines: &Lines, line: &str) {
    { lines }.write_all(line.as_bytes()).expect("never fails");
}

#[test]
fn a_reader_that_never_reads_blocks_nobody() {
    let (stuck, rig) = gate();
    let (lines, flush) = spawn(stuck).expect("a thread");
    write(&lines, "0\n");
    rig.begun.recv().expect("the writer hangs");
    for number in 1..=LINES_AT_MOST + 10 {
        write(&lines, &format!("{number}\n"));
    }
    assert_eq!(lines.lost.count(), 10);
    drop(flush);
    assert!(rig.written.lock().expect("lives").is_empty());
    write(&lines, "too late\n");
    assert_eq!(lines.lost.count(), 11);
    drop(rig.open);
}

#[test]
fn what_is_queued_is_written_at_the_end_in_order_and_in_batches() {
    let (slow, rig) = gate();
    let (lines, flush) = spawn(slow).expect("a thread");
    write(&lines, "0\n");
    rig.begun.recv().expect("the writer hangs");
    for number in 1..1_000 {
        write(&lines, &format!("{number}\n"));
    }
    drop(rig.open);
    drop(flush);
    let written = rig.written.lock().expect("lives");
    let all: String = (0..1_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(String::from_utf8_lossy(&written.concat()), all);
    assert_eq!(written.len(), 2, "what had gathered went in one write");
    assert_eq!(lines.lost.count(), 0);
}

#[test]
fn long_lines_are_bounded_by_their_bytes() {
    let (stuck, rig) = gate();
    let (lines, _flush) = spawn(stuck).expect("a thread");
    write(&lines, "first\n");
    rig.begun.recv().expect("the writer hangs");
    let half = "x".repeat(BYTES_AT_MOST / 2);
    for _ in 0..3 {
        write(&lines, &half);
    }
    assert_eq!(lines.lost.count(), 1);
    drop(rig.open);
}

#[test]
fn a_reader_that_has_gone_is_counted() {
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let (lines, flush) = spawn(Gone).expect("a thread");
    write(&lines, "one\n");
    write(&lines, "two\n");
    drop(flush);
    assert_eq!(lines.lost.count(), 2);
}

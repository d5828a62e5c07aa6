//! A child process that ends with its handle.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::usage;

/// Time between SIGTERM and SIGKILL.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a stopping process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The end of a log that goes into an error message, in bytes.
const LOG_TAIL: usize = 2_000;

/// A running child; dropping it stops it and its own children.
#[derive(Debug)]
pub(crate) struct Child {
    process: std::process::Child,
    log: PathBuf,
}

impl Child {
    /// Starts `command` with its output in the file `log`.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> io::Result<Self> {
        let output = File::create(log)?;
        let process = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        Ok(Self {
            process,
            log: log.to_owned(),
        })
    }

    /// The process and its descendants.
    pub(crate) fn pids(&self) -> Vec<u32> {
        usage::tree(self.process.id())
    }

    /// Whether it has ended on its own.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// The end of its output.
    pub(crate) fn log_tail(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let tail = &log[log.len().saturating_sub(LOG_TAIL)..];
        String::from_utf8_lossy(tail).into_owned()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let family: Vec<_> = self.pids().into_iter().filter_map(Member::of).collect();
        if !self.has_ended() {
            // A signal that fails means that the process is gone, which is what is wanted.
            let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        }
        for _ in 0..PATIENCE.as_millis() / LOOK_EVERY.as_millis() {
            if self.has_ended() {
                break;
            }
            thread::sleep(LOOK_EVERY);
        }
        // Whoever did not listen, and children that their parent left behind.
        for member in family {
            member.kill();
        }
        let _ = self.process.wait();
    }
}

/// A process that cannot be mistaken for a later one with the same id.
struct Member {
    pid: u32,
    started_ticks: u64,
}

impl Member {
    fn of(pid: u32) -> Option<Self> {
        let started_ticks = usage::started_ticks(pid)?;
        Some(Self { pid, started_ticks })
    }

    fn kill(&self) {
        let same = usage::started_ticks(self.pid) == Some(self.started_ticks);
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| same) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(pid: u32) -> bool {
        usage::started_ticks(pid).is_some()
    }

    /// Runs `script` in a shell until it has printed a line, drops it, and returns its processes
    /// and that line.
    fn run_and_drop(script: &str) -> (Vec<u32>, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut child = Child::spawn(&mut command, &folder.path().join("log")).expect("sh");
        while !child.log_tail().ends_with('\n') {
            thread::yield_now();
        }
        let (pids, line) = (child.pids(), child.log_tail());
        assert!(!child.has_ended() && pids.iter().all(|&pid| alive(pid)));
        drop(child);
        (pids, line)
    }

    #[test]
    fn dropping_stops_it_after_its_log_was_read() {
        let (pids, line) = run_and_drop("echo hello; exec sleep 60");
        assert_eq!(line, "hello\n");
        assert!(!pids.iter().any(|&pid| alive(pid)));
    }

    #[test]
    fn children_that_outlive_their_parent_are_stopped_too() {
        let (pids, _) = run_and_drop("sleep 60 & echo ready; wait");
        assert_eq!(pids.len(), 2);
        // The orphan is reaped by another process, in its own time.
        while pids.iter().any(|&pid| alive(pid)) {
            thread::yield_now();
        }
    }
}

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
        if self.has_ended() {
            return;
        }
        let pids = self.pids();
        // A signal that fails means that the process is gone, which is what is wanted.
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        for _ in 0..PATIENCE.as_millis() / LOOK_EVERY.as_millis() {
            if self.has_ended() {
                return;
            }
            thread::sleep(LOOK_EVERY);
        }
        for pid in pids
            .into_iter()
            .filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
        {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alive(pid: u32) -> bool {
        Path::new(&format!("/proc/{pid}")).exists()
    }

    #[test]
    fn dropping_stops_it_and_keeps_its_log_until_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("sh");
        command.args(["-c", "echo hello; exec sleep 60"]);
        let mut child = Child::spawn(&mut command, &folder.path().join("log")).expect("sh");
        while child.log_tail().is_empty() {
            thread::yield_now();
        }
        let pids = child.pids();
        assert_eq!(child.log_tail(), "hello\n");
        assert!(!child.has_ended() && pids.iter().all(|&pid| alive(pid)));
        drop(child);
        assert!(!pids.iter().any(|&pid| alive(pid)));
    }
}

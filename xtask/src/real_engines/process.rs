//! Servers in process groups of their own, which never outlive this program.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::http;
use crate::host::poll_until;

/// Groups that are running now, for the signal handler.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

const TERM_GRACE: Duration = Duration::from_secs(10);

/// From now on an interrupt kills every running group and ends this program.
pub(super) fn stop_on_signal() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("signal handlers")?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            // The lock is kept: a server started from here on would be missed.
            let running = running();
            for group in running.iter() {
                let _gone = kill_process_group(*group, Signal::KILL);
            }
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// One server: its group is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    name: String,
    child: Child,
    group: Pid,
    log: PathBuf,
}

impl Server {
    /// Starts `command` in a group of its own, its output in `logs`.
    pub(super) fn start(name: &str, command: &mut Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let output = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        let errors = output.try_clone().context("a second handle of the log")?;
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        let mut running = running();
        let child = command
            .spawn()
            .with_context(|| format!("starting {name}: {command:?}"))?;
        let group = Pid::from_child(&child);
        running.push(group);
        Ok(Self {
            name: name.to_owned(),
            child,
            group,
            log,
        })
    }

    /// Waits until a GET of `url` answers 200.
    pub(super) fn wait_until_up(&mut self, url: &str, limit: Duration) -> Result<Duration> {
        let up = poll_until(limit, Duration::from_millis(250), || {
            match self.child.try_wait() {
                Ok(Some(status)) => Some(Err(status)),
                _ => http::get(url).is_ok().then_some(Ok(())),
            }
        });
        match up {
            Some((Ok(()), took)) => Ok(took),
            Some((Err(status), _)) => bail!("{}", self.report(&format!("ended with {status}"))),
            None => bail!(
                "{}",
                self.report(&format!("did not answer {url} within {limit:?}"))
            ),
        }
    }

    /// Kills the whole group at once, as a crash would.
    pub(super) fn kill(&mut self) -> Result<ExitStatus> {
        self.signal(Signal::KILL, "killing")?;
        self.child
            .wait()
            .with_context(|| format!("waiting for {}", self.name))
    }

    /// Stops the whole group where it is: it answers nothing more, and its connections stay open.
    pub(super) fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP, "freezing")
    }

    /// Lets the group go on after [`freeze`](Self::freeze).
    pub(super) fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT, "thawing")
    }

    fn signal(&self, signal: Signal, doing: &str) -> Result<()> {
        kill_process_group(self.group, signal).with_context(|| format!("{doing} {}", self.name))
    }

    /// What it has written so far.
    pub(super) fn written(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What happened to the server, with the end of its log.
    fn report(&self, what: &str) -> String {
        let log = self.written();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(25)..].join("\n");
        format!("{} {what}; its last words:\n{tail}", self.name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            let _gone = kill_process_group(self.group, Signal::TERM);
            // A frozen one would not hear it.
            let _gone = kill_process_group(self.group, Signal::CONT);
            let ended = poll_until(TERM_GRACE, Duration::from_millis(100), || {
                self.child.try_wait().ok().flatten()
            });
            if ended.is_none() {
                eprintln!("{} ignored SIGTERM and is killed", self.name);
            }
        }
        // Members of the group may outlive its leader.
        let _gone = kill_process_group(self.group, Signal::KILL);
        let _status = self.child.wait();
        running().retain(|group| *group != self.group);
    }
}

fn running() -> MutexGuard<'static, Vec<Pid>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A loopback port that was free a moment ago.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("a free port")?;
    Ok(listener
        .local_addr()
        .context("the free port's number")?
        .port())
}

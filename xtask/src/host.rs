//! The clock and the environment, each read in one place.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// An environment variable, where it is set and not empty.
#[must_use]
pub fn var(name: &str) -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "chores have no configuration; their few knobs are environment variables"
    )]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The user's cache folder: `$XDG_CACHE_HOME`, else `~/.cache`.
///
/// # Errors
/// When neither `XDG_CACHE_HOME` nor `HOME` is set.
pub fn cache_dir() -> Result<PathBuf> {
    if let Some(dir) = var("XDG_CACHE_HOME") {
        return Ok(dir.into());
    }
    let home = var("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cache"))
}

/// A running stopwatch, for deadlines and for figures in the output.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts at zero.
    #[must_use]
    pub fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "chores drive real processes in real time"
        )]
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Calls `done` every `every` until it gives a value or `limit` is over; the time it took comes with the value.
pub fn poll_until<T>(
    limit: Duration,
    every: Duration,
    mut done: impl FnMut() -> Option<T>,
) -> Option<(T, Duration)> {
    let watch = Stopwatch::start();
    loop {
        if let Some(value) = done() {
            return Some((value, watch.elapsed()));
        }
        if watch.elapsed() >= limit {
            return None;
        }
        std::thread::sleep(every);
    }
}

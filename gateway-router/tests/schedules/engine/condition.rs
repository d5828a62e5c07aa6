//! How an engine does just now.

use std::time::Duration;

/// What it does with requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Serves them.
    Well,
    /// Nobody listens.
    Dead,
    /// Takes them and says nothing; what is being written stops.
    Hung,
    /// Answers this status.
    Refuses(u16),
}

/// What ends an answer in the middle while the engine lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strike {
    /// The connection breaks.
    Drop,
    /// An error event, and a polite end.
    ErrorEvent,
    /// The choices end as aborted.
    Abort,
    /// The choices are thrown out, to be computed again.
    Recompute,
}

/// What it says of its health and load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// What is so.
    Truth,
    /// That it is ill; its load cannot be had.
    Ill,
    /// Nothing.
    Nothing,
    /// What was so so long ago.
    Late(Duration),
    /// Nonsense.
    Nonsense,
}

/// An engine's state as all its answers see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Condition {
    pub(crate) mode: Mode,
    /// Which of the processes under this name; each death ends one.
    pub(crate) process: u32,
    /// Between two tokens.
    pub(crate) pace: Duration,
    pub(crate) says: Says,
    /// Whether prompts can be handed over.
    pub(crate) transfers: bool,
    /// The latest strike, and how many there were.
    pub(crate) strike: Strike,
    pub(crate) strikes: u32,
}

/// The pace of an engine that nothing slows.
pub(crate) const PACE: Duration = Duration::from_millis(20);

impl Default for Condition {
    fn default() -> Self {
        Self {
            mode: Mode::Well,
            process: 0,
            pace: PACE,
            says: Says::Truth,
            transfers: true,
            strike: Strike::Drop,
            strikes: 0,
        }
    }
}

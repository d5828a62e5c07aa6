//! Why a run ends early. A wrong reply is not one of these: it is counted, see
//! [`crate::load::ReplyFault`].

use std::io;

/// The run cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The operating system refused something.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Its refusal.
        source: io::Error,
    },
    /// A command that should have succeeded did not.
    #[error("`{command}` failed")]
    Command {
        /// The command line.
        command: String,
    },
    /// The gateway does not build.
    #[error("{0:#}")]
    Build(#[from] anyhow::Error),
    /// A relay ended on its own.
    #[error("{name} ended before its time; its log ends with:\n{log}")]
    Died {
        /// The relay.
        name: &'static str,
        /// The end of its output.
        log: String,
    },
    /// A relay is up but serves nothing.
    #[error("{name} served no request within {seconds} s ({last}); its log ends with:\n{log}")]
    NotReady {
        /// The relay.
        name: &'static str,
        /// How long it was given.
        seconds: u64,
        /// What its last answer was.
        last: String,
        /// The end of its output.
        log: String,
    },
    /// A scenario hangs.
    #[error("{scenario} was not over {seconds} s after its start")]
    Overtime {
        /// The scenario.
        scenario: &'static str,
        /// How long it was given.
        seconds: u64,
    },
    /// The relay lost, cut, mixed up or refused something: its figures are those of a broken relay.
    #[error("{count} bad replies")]
    BadReplies {
        /// Over the whole run.
        count: u64,
    },
    /// SIGINT or SIGTERM.
    #[error("interrupted")]
    Interrupted,
}

impl Fault {
    /// For `map_err`: names what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

//! The report: markdown to standard output and, on request, to a file.

mod conditions;
mod figures;
mod table;

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::args::{Args, Relay};
use crate::fault::Fault;
use crate::memory::Memory;
use crate::run::Round;

/// What the gateway may hold after the memory run.
const MEMORY_TARGET_MB: u32 = 64;

/// A report in the making.
#[derive(Debug)]
pub(crate) struct Report {
    text: String,
    bad_replies: u64,
}

impl Report {
    /// Begins with the conditions of the run.
    pub(crate) fn begin(args: &Args) -> Self {
        Self {
            text: conditions::describe(args),
            bad_replies: 0,
        }
    }

    /// Adds the table over all rounds.
    pub(crate) fn rounds(&mut self, relays: &[Relay], rounds: &[Round]) {
        self.text.push_str(&table::render(relays, rounds));
        let bad = |round: &Round| {
            let relays: u64 = round.relays.iter().map(|relay| relay.tally.bad).sum();
            round.direct.tally.bad + relays
        };
        self.bad_replies += rounds.iter().map(bad).sum::<u64>();
    }

    /// Adds the memory run of one relay.
    pub(crate) fn memory(&mut self, relay: Relay, memory: &Memory) {
        let tally = &memory.closed.tally;
        let target = match relay {
            Relay::Gateway => format!(" (target: ≤ {MEMORY_TARGET_MB})"),
            Relay::Nginx => String::new(),
        };
        let fault = tally.first_fault.as_ref();
        let line = format!(
            "- {}: {:.1} MB idle, {:.1} MB{target} after {} distinct prompts \
             ({:.0} a second); {} bad replies{}\n",
            name(relay),
            megabytes(memory.resident_idle),
            megabytes(memory.resident_after),
            tally.good,
            memory.closed.per_second(),
            tally.bad,
            fault.map_or(String::new(), |fault| format!(", the first: {fault}")),
        );
        self.text.push_str(&line);
        self.bad_replies += tally.bad;
    }

    /// Adds the load of the machine at the end, prints the report and writes it to `out`.
    ///
    /// # Errors
    /// It cannot be printed or written; or, once it is, a reply of the run was bad.
    pub(crate) fn finish(mut self, out: Option<&Path>) -> Result<(), Fault> {
        let _ = write!(
            self.text,
            "\nLoad average at the end: {}.\n",
            conditions::load_average()
        );
        io::stdout()
            .write_all(self.text.as_bytes())
            .map_err(Fault::io("print the report"))?;
        if let Some(path) = out {
            fs::write(path, self.text).map_err(Fault::io(format!("write {}", path.display())))?;
        }
        match self.bad_replies {
            0 => Ok(()),
            count => Err(Fault::BadReplies { count }),
        }
    }
}

/// Says on standard error how far the run is. Nobody listening is no reason to stop.
pub(crate) fn progress(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Says on standard error why the run ended.
pub(crate) fn complain(fault: &Fault) {
    progress(&format!("relay bench: {fault}"));
}

fn name(relay: Relay) -> &'static str {
    match relay {
        Relay::Nginx => "nginx",
        Relay::Gateway => "gateway",
    }
}

#[expect(clippy::cast_precision_loss, reason = "a size in memory")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

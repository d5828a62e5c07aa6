//! One conversation, from the first line to the last.

use std::io::{self, BufRead, Write};

use gateway_core::{
    Explanation,
    decider::{Answer, Decided, Decider, Message},
};
use serde::Serialize;

use super::{
    json,
    lines::{LineProblem, Lines},
    policy::Policy,
};
use crate::cli::out;

/// See the module.
pub(super) struct Session<'p> {
    policy: &'p Policy,
    decider: Decider,
    has_fleet: bool,
    answer: Vec<u8>,
    ignored: u64,
}

/// An answer as it is written.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    answer: Answer,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<&'a Explanation>,
}

impl<'p> Session<'p> {
    pub(super) fn new(policy: &'p Policy) -> Self {
        Self {
            policy,
            decider: policy.decider(),
            has_fleet: false,
            answer: Vec::new(),
            ignored: 0,
        }
    }

    /// Takes all lines; answers each request before the next line is read.
    ///
    /// # Errors
    /// With the first line that is none, and as reading or writing fails. Who no longer listens is not an error.
    pub(super) fn run(mut self, input: impl BufRead, mut output: impl Write) -> anyhow::Result<()> {
        let mut lines = Lines::new(input);
        while let Some(line) = lines.next()? {
            let read = json::message(line).map_err(LineProblem::Malformed);
            let decided = read.and_then(|message| self.take(message));
            let Some(decided) = decided.map_err(|problem| lines.bad(problem))? else {
                continue;
            };
            match self.tell(&decided, &mut output) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
                written => written?,
            }
        }
        self.ignored += self.decider.ignored();
        if self.ignored > 0 {
            out::note(format_args!(
                "{} messages said nothing: about engines that are not there, requests that are not in flight, or samples \
                 older than the last",
                self.ignored
            ));
        }
        Ok(())
    }

    fn take(&mut self, mut message: Message) -> Result<Option<Decided>, LineProblem> {
        match &mut message {
            Message::Init(_) => self.starts_over(),
            Message::Route { req } => self.policy.complete(req),
            _ => {}
        }
        let decided = self.decider.message(&message);
        decided.map_err(LineProblem::Meaningless)
    }

    /// Nothing that plug-ins have counted or learned goes over to another fleet.
    fn starts_over(&mut self) {
        if std::mem::replace(&mut self.has_fleet, true) {
            self.ignored += self.decider.ignored();
            self.decider = self.policy.decider();
        }
    }

    fn tell(&mut self, (answer, record): &Decided, output: &mut impl Write) -> io::Result<()> {
        self.answer.clear();
        let told = Told {
            answer: *answer,
            explain: record.as_ref(),
        };
        serde_json::to_writer(&mut self.answer, &told)?;
        self.answer.push(b'\n');
        output.write_all(&self.answer)?;
        output.flush()
    }
}

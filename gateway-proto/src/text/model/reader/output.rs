//! Pieces to events, held to what the caller was promised.

use super::calls::CallIds;
use crate::ir::{Event, Finish, Step, StopCause};
use crate::text::model::StrictFormat;
use crate::text::parse::{Family, Piece};

/// The events of one choice.
#[derive(Debug)]
pub(super) struct Output {
    choice: u32,
    ids: CallIds,
    strict: StrictFormat,
    /// The text so far, where it is checked at the end.
    content: String,
    /// The call being written, where it is checked at its end.
    call: Option<(String, String)>,
    has_calls: bool,
    /// Calls that are complete.
    whole_calls: u32,
    violation: Option<String>,
    /// Whether the answer was cut short, so that a call which ends now is not whole.
    is_cut: bool,
}

impl Output {
    pub(super) fn new(family: Family, strict: StrictFormat, seed: u64, choice: u32) -> Self {
        Self {
            choice,
            ids: CallIds::new(family, seed, choice),
            strict,
            content: String::new(),
            call: None,
            has_calls: false,
            whole_calls: 0,
            violation: None,
            is_cut: false,
        }
    }

    /// The answer was cut short: what ends from now on is not whole, and nothing can be said of it.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
    }

    pub(super) fn whole_calls(&self) -> u32 {
        self.whole_calls
    }

    pub(super) fn step(&self, step: Step, out: &mut Vec<Event>) {
        out.push(Event::Step {
            choice: self.choice,
            step,
        });
    }

    pub(super) fn piece(&mut self, piece: Piece, out: &mut Vec<Event>) {
        if !self.strict.is_empty() {
            self.remember(&piece);
        }
        let step = match piece {
            Piece::Text(text) => Step::Text(text),
            Piece::Reasoning(text) => Step::Reasoning(text),
            Piece::CallStart { id, name } => {
                self.has_calls = true;
                let id = self.ids.next(id, &name);
                Step::CallStart { id, name }
            }
            Piece::CallArguments(text) => Step::CallArguments(text),
            Piece::CallEnd => {
                self.whole_calls += 1;
                Step::CallEnd
            }
        };
        self.step(step, out);
    }

    fn remember(&mut self, piece: &Piece) {
        match piece {
            Piece::Text(text) => self.content.push_str(text),
            Piece::CallStart { name, .. } => self.call = Some((name.clone(), String::new())),
            Piece::CallArguments(more) => {
                if let Some((_, arguments)) = &mut self.call {
                    arguments.push_str(more);
                }
            }
            Piece::CallEnd => {
                if let Some((name, arguments)) = self.call.take().filter(|_| !self.is_cut) {
                    let broken = self.strict.check_call(&name, &arguments);
                    self.violation = self.violation.take().or(broken);
                }
            }
            Piece::Reasoning(_) => {}
        }
    }

    /// The end. A text that was cut short cannot be whole, and says so by its reason; one that ended by itself, and every
    /// call that was complete by then, tells how it breaks what was promised.
    pub(super) fn end(&mut self, finish: Finish, stop: Option<StopCause>, out: &mut Vec<Event>) {
        let is_whole = finish == Finish::Stop && stop.is_none();
        if is_whole && !self.has_calls {
            let broken = self.strict.check_content(&self.content);
            self.violation = self.violation.take().or(broken);
        }
        let finish = match finish {
            Finish::Stop if self.has_calls && stop.is_none() => Finish::ToolCalls,
            other => other,
        };
        let violation = self.violation.take();
        self.step(
            Step::Finished {
                finish,
                stop,
                violation,
            },
            out,
        );
    }
}

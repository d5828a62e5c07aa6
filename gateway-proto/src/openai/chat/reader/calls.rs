//! The calls of one choice, brought into order.

use std::collections::BTreeSet;

use super::{ApiError, Sink, Step, wire::CallPiece};

/// The most calls one choice may have.
const MOST_CALLS: usize = 4_096;

/// The most bytes of arguments that wait for their call's name.
const HELD_BYTES: usize = 1 << 20;

/// The state of a choice's calls.
#[derive(Debug, Default)]
pub(super) struct Calls {
    known: Vec<Call>,
    /// The place in `known` of the call that arguments may come for.
    open: Option<usize>,
    ids: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Call {
    index: u32,
    id: Option<String>,
    is_started: bool,
    /// Arguments that came before the name.
    held: String,
}

impl Calls {
    /// Takes in a piece of a call.
    pub(super) fn push(
        &mut self,
        piece: CallPiece,
        sink: &mut Sink<'_>,
    ) -> Result<(), Box<ApiError>> {
        let id = piece.id.filter(|id| !id.is_empty());
        let at = self.place(piece.index, id.as_deref())?;
        let (name, arguments) = match piece.function {
            Some(function) => (function.name, function.arguments),
            None => (None, None),
        };
        if !self.known[at].is_started {
            let call = &mut self.known[at];
            call.id = call.id.take().or(id);
            if let Some(name) = name.filter(|name| !name.is_empty()) {
                self.start(at, name, sink);
            }
        }
        match arguments.filter(|more| !more.is_empty()) {
            Some(more) => self.arguments(at, more, sink),
            None => Ok(()),
        }
    }

    /// The call that a piece belongs to: by number, else a new one where it has an id, else the last.
    fn place(&mut self, index: Option<u32>, id: Option<&str>) -> Result<usize, Box<ApiError>> {
        let found = match (index, id) {
            (Some(index), _) => self.known.iter().rposition(|call| call.index == index),
            (None, Some(id)) => {
                let same = |call: &Call| call.id.as_deref() == Some(id);
                self.known.iter().rposition(same)
            }
            (None, None) => self.known.len().checked_sub(1),
        };
        if let Some(at) = found {
            return Ok(at);
        }
        if self.known.len() >= MOST_CALLS {
            return Err(broken("more tool calls than one answer can have"));
        }
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.known.push(Call {
            index: index.unwrap_or(next),
            ..Call::default()
        });
        Ok(self.known.len() - 1)
    }

    fn start(&mut self, at: usize, name: String, sink: &mut Sink<'_>) {
        self.close(sink);
        let call = &mut self.known[at];
        call.is_started = true;
        let given = call.id.clone().filter(|id| !self.ids.contains(id));
        let id = given.unwrap_or_else(|| format!("call_{}_{at}", sink.choice));
        self.ids.insert(id.clone());
        self.open = Some(at);
        sink.step(Step::CallStart { id, name });
        let held = std::mem::take(&mut self.known[at].held);
        if !held.is_empty() {
            sink.step(Step::CallArguments(held));
        }
    }

    fn arguments(
        &mut self,
        at: usize,
        more: String,
        sink: &mut Sink<'_>,
    ) -> Result<(), Box<ApiError>> {
        if self.open == Some(at) {
            sink.step(Step::CallArguments(more));
            return Ok(());
        }
        let call = &mut self.known[at];
        if call.is_started {
            return Err(broken("arguments of a tool call that was over"));
        }
        if call.held.len() + more.len() > HELD_BYTES {
            return Err(broken("a tool call without a name"));
        }
        call.held.push_str(&more);
        Ok(())
    }

    /// Ends the open call.
    pub(super) fn close(&mut self, sink: &mut Sink<'_>) {
        if self.open.take().is_some() {
            sink.step(Step::CallEnd);
        }
    }

    /// Ends the open call and lets go what never became one.
    pub(super) fn finish(&mut self, sink: &mut Sink<'_>) {
        self.close(sink);
        for call in &mut self.known {
            let held = std::mem::take(&mut call.held);
            if !held.is_empty() {
                sink.step(Step::Text(held));
            }
        }
    }
}

fn broken(what: &str) -> Box<ApiError> {
    Box::new(ApiError::upstream(format!("The engine sent {what}.")))
}

//! The stream of an engine's chat answer, read as neutral events.
mod calls;
#[cfg(test)]
mod tests;
mod wire;

use calls::Calls;
use wire::{Chunk, Delta, Piece};

pub(super) use wire::{Logprobs, stop_cause};

use crate::error::{ApiError, EngineFault};
use crate::ir::{Event, Step, Usage};
use crate::openai::codec::common::finish_of;
use crate::openai::write::MOST_CHOICES;

/// How far a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More is to come.
    Open,
    /// `[DONE]` came.
    Done,
    /// The engine failed or broke the form; [`Event::Failed`] was the last event.
    Failed,
}

/// Reads `chat.completion.chunk` events, one [`read`](Self::read) for the data of each.
///
/// Calls come out complete one after the other: name first, then arguments, then the end. An id that the engine leaves
/// out or gives twice is made up from the numbers of choice and call. Arguments that never get a name come out as text.
#[derive(Debug, Default)]
pub struct ChunkReader {
    choices: Vec<Calls>,
    state: Option<Progress>,
}

impl ChunkReader {
    /// A reader that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the data of one server-sent event and appends what it tells to `out`.
    ///
    /// Nothing is read after the end or a failure.
    pub fn read(&mut self, data: &str, out: &mut Vec<Event>) -> Progress {
        if let Some(over) = self.state {
            return over;
        }
        if data.trim() == "[DONE]" {
            self.finish(out);
            self.state = Some(Progress::Done);
            return Progress::Done;
        }
        match self.chunk(data, out) {
            Ok(()) => Progress::Open,
            Err(error) => {
                out.push(Event::Failed(error));
                self.state = Some(Progress::Failed);
                Progress::Failed
            }
        }
    }

    /// The stream ended without `[DONE]`, or is over: ends the calls that are still open.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        for (calls, choice) in self.choices.iter_mut().zip(0..) {
            calls.finish(&mut Sink { choice, out });
        }
    }

    fn chunk(&mut self, data: &str, out: &mut Vec<Event>) -> Result<(), Box<ApiError>> {
        let chunk: Chunk<'_> = serde_json::from_str(data).map_err(|_| unreadable())?;
        if chunk.is_error() {
            return Err(Box::new(EngineFault::parse(200, data.as_bytes()).error));
        }
        for piece in chunk.choices.unwrap_or_default() {
            self.piece(piece, out)?;
        }
        if let Some(usage) = chunk.usage {
            out.push(Event::Usage(Usage::from(usage)));
        }
        Ok(())
    }

    fn piece(&mut self, piece: Piece, out: &mut Vec<Event>) -> Result<(), Box<ApiError>> {
        let choice = piece.index;
        if choice >= MOST_CHOICES {
            return Err(unreadable());
        }
        let at = choice as usize;
        if self.choices.len() <= at {
            self.choices.resize_with(at + 1, Calls::default);
        }
        let (calls, mut sink) = (&mut self.choices[at], Sink { choice, out });
        let tokens = piece.logprobs.map(Logprobs::into_tokens);
        if let Some(tokens) = tokens.filter(|tokens| !tokens.is_empty()) {
            sink.step(Step::Logprobs(tokens));
        }
        if let Some(ids) = piece.token_ids.filter(|ids| !ids.is_empty()) {
            sink.step(Step::TokenIds(ids));
        }
        if let Some(delta) = piece.delta {
            take_delta(calls, delta, &mut sink)?;
        }
        if let Some(word) = piece.finish_reason {
            calls.finish(&mut sink);
            let stop = piece.stop_reason.or(piece.matched_stop);
            sink.step(Step::Finished {
                finish: finish_of(word),
                stop: stop.as_ref().and_then(stop_cause),
                violation: piece.violation,
            });
        }
        Ok(())
    }
}

/// Where the events of one choice go.
struct Sink<'a> {
    choice: u32,
    out: &'a mut Vec<Event>,
}

impl Sink<'_> {
    fn step(&mut self, step: Step) {
        let choice = self.choice;
        self.out.push(Event::Step { choice, step });
    }
}

fn take_delta(calls: &mut Calls, delta: Delta, sink: &mut Sink<'_>) -> Result<(), Box<ApiError>> {
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    if let Some(text) = said(delta.reasoning).or(said(delta.reasoning_content)) {
        calls.close(sink);
        sink.step(Step::Reasoning(text));
    }
    // A refusal is text for the reader too.
    for text in [said(delta.content), said(delta.refusal)]
        .into_iter()
        .flatten()
    {
        calls.close(sink);
        sink.step(Step::Text(text));
    }
    for piece in delta.tool_calls.unwrap_or_default() {
        calls.push(piece, sink)?;
    }
    Ok(())
}

/// The error for a chunk that is none.
pub(super) fn unreadable() -> Box<ApiError> {
    Box::new(ApiError::upstream(
        "The engine sent an answer that cannot be read.",
    ))
}

//! The encoder.

use std::sync::Arc;

use super::emit::{Emitter, Framing};
use super::ending::Ending;
use super::item::OpenItem;
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::ir::{Event, Head, Step, TokenLogprob, Usage};
use crate::responses::ResponsesRequest;
use crate::responses::object::{ResponseObject, Status};
use crate::responses::tools::ToolNames;

/// Writes an answer as the events of this API and keeps the response object that they add up to.
///
/// Events are numbered from 0 without gaps. Each item is opened and closed before the next one opens. This API has one
/// answer per response: other choices than the first are left out.
#[derive(Debug)]
pub struct ResponseStream {
    pub(super) emitter: Emitter,
    pub(super) object: ResponseObject,
    pub(super) names: Arc<ToolNames>,
    /// Unique to the response; item ids are made of it.
    pub(super) seed: String,
    /// Whether reasoning goes out in its opaque form too.
    pub(super) sealed: bool,
    /// The last item of the object, while it is being written.
    pub(super) open: Option<OpenItem>,
    /// Log probabilities that no event has told yet.
    pub(super) logprobs: Vec<TokenLogprob>,
    pub(super) ending: Ending,
    pub(super) now: u64,
    created: bool,
    begun: bool,
    pub(super) over: bool,
}

impl ResponseStream {
    /// A stream of which nothing is written yet.
    #[must_use]
    pub fn new(request: &ResponsesRequest, head: &Head, framing: Framing) -> Self {
        Self {
            emitter: Emitter::new(framing),
            object: ResponseObject::new(request, head),
            names: request.names.clone(),
            seed: head.id.clone(),
            sealed: request.settings.encrypted_reasoning,
            open: None,
            logprobs: Vec::new(),
            ending: Ending::default(),
            now: head.created,
            created: false,
            begun: false,
            over: false,
        }
    }

    /// Tells the time in Unix seconds, which becomes the response's end; until told it is the time of its creation.
    pub fn set_time(&mut self, unix_seconds: u64) {
        self.now = self.now.max(unix_seconds);
    }

    /// Appends the events of a response that waits for its turn (background).
    pub fn queue(&mut self, out: &mut Vec<u8>) {
        if self.created {
            return;
        }
        self.created = true;
        self.snapshot("response.created", out);
        self.snapshot("response.queued", out);
    }

    /// Appends the events that open a response; otherwise the first event does so.
    pub fn begin(&mut self, out: &mut Vec<u8>) {
        if self.begun {
            return;
        }
        self.begun = true;
        self.object.status = Status::InProgress;
        if !self.created {
            self.created = true;
            self.snapshot("response.created", out);
        }
        self.snapshot("response.in_progress", out);
    }

    /// The response as far as it has come.
    #[must_use]
    pub fn response(&self) -> &ResponseObject {
        &self.object
    }

    /// The response as far as it has come.
    #[must_use]
    pub fn into_response(self) -> ResponseObject {
        self.object
    }

    /// The number of the next event.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.emitter.sequence()
    }

    pub(in crate::responses) fn step(&mut self, step: &Step, out: &mut Vec<u8>) {
        match step {
            Step::Text(text) => self.text(text, out),
            Step::Reasoning(text) => self.reasoning(text, out),
            Step::CallStart { id, name } => self.call_start(id, name, out),
            Step::CallArguments(more) => self.call_arguments(more, out),
            Step::CallEnd => self.call_end(out),
            Step::Logprobs(tokens) => self.logprobs.extend_from_slice(tokens),
            // None has a place in this API.
            Step::Signature(_) | Step::TokenIds(_) | Step::PromptTokenIds(_) => {}
            Step::Finished {
                finish, violation, ..
            } => {
                self.ending = Ending::new(finish, violation.clone());
                self.close(self.ending.item_status(), out);
            }
        }
    }

    pub(in crate::responses) fn usage(&mut self, usage: Usage) {
        self.object.usage = Some(usage);
    }

    /// Writes an event that holds the whole response.
    pub(super) fn snapshot(&mut self, kind: &str, out: &mut Vec<u8>) {
        let object = &self.object;
        self.emitter.event(kind, out, |out| {
            out.extend_from_slice(b",\"response\":");
            object.push(out);
        });
    }
}

impl StreamEncoder for ResponseStream {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match event {
            Event::Step { choice: 0, step } => {
                self.begin(out);
                self.step(step, out);
            }
            Event::Step { .. } => {}
            Event::Usage(usage) => self.usage(*usage),
            Event::Failed(error) => self.fail(error, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        self.begin(out);
        self.end(out);
    }

    fn fail(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        self.begin(out);
        self.break_off(error, out);
    }
}

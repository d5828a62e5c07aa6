//! The stream of a completion, from neutral events.

use std::sync::Arc;

use super::logprobs;
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::ir::{Event, Finish, Head, Step, StopCause};
use crate::json;
use crate::openai::write::{ChunkHead, Echo, MOST_CHOICES, Pending, ReplyOptions, parts};

/// Writes `text_completion` events.
///
/// Reasoning is text here, since this dialect has nothing else; tool calls have no place in it and are left out. Log
/// probabilities and token ids ride on the choice's next chunk. A failed answer ends with one error event and no
/// `[DONE]`.
#[derive(Debug)]
pub struct CompletionStream {
    head: ChunkHead,
    echo: Option<Echo>,
    choices: Vec<ChoiceState>,
    is_over: bool,
}

#[derive(Debug, Default)]
struct ChoiceState {
    is_open: bool,
    /// Where the next token with a log probability stands in the text, in characters.
    offset: u64,
    pending: Pending,
    /// The prompt's token ids, which ride on the choice's first chunk.
    prompt: Option<Arc<[u32]>>,
}

impl CompletionStream {
    /// A stream that nothing was written of.
    #[must_use]
    pub fn new(head: &Head, options: &ReplyOptions) -> Self {
        let usage = (options.include_usage, options.continuous_usage);
        Self {
            head: ChunkHead::new(head, super::ID_PREFIX, "text_completion", usage),
            echo: options.echo.clone(),
            choices: Vec::new(),
            is_over: false,
        }
    }

    fn step(&mut self, choice: u32, step: &Step, out: &mut Vec<u8>) {
        self.reserve(choice);
        if let Step::PromptTokenIds(ids) = step {
            self.state(choice).prompt = Some(Arc::clone(ids));
            return;
        }
        self.open(choice, out);
        match step {
            Step::Text(text) | Step::Reasoning(text) => self.text(choice, text, out),
            Step::Signature(_)
            | Step::CallStart { .. }
            | Step::CallArguments(_)
            | Step::CallEnd
            | Step::PromptTokenIds(_) => {}
            Step::Logprobs(tokens) => {
                self.state(choice)
                    .pending
                    .logprobs
                    .extend_from_slice(tokens);
                self.flush(choice, true, out);
            }
            Step::TokenIds(ids) => {
                self.state(choice).pending.ids.extend_from_slice(ids);
                self.flush(choice, true, out);
            }
            Step::Finished {
                finish,
                stop,
                violation,
            } => {
                let why = (stop.as_ref(), violation.as_deref());
                self.chunk(choice, "", (Some(finish), why), out);
            }
        }
    }

    fn state(&mut self, choice: u32) -> &mut ChoiceState {
        &mut self.choices[choice as usize]
    }

    #[inline]
    fn reserve(&mut self, choice: u32) {
        let at = choice as usize;
        if self.choices.len() <= at {
            self.choices.resize_with(at + 1, ChoiceState::default);
        }
    }

    /// Gives the prompt back where that is wanted and the choice is new.
    #[inline]
    fn open(&mut self, choice: u32, out: &mut Vec<u8>) {
        let at = choice as usize;
        if std::mem::replace(&mut self.choices[at].is_open, true) {
            return;
        }
        if let Some(echo) = self.echo.take() {
            let prompt = echo.text(choice);
            self.choices[at].offset = prompt.chars().count() as u64;
            if !prompt.is_empty() {
                self.text(choice, prompt, out);
            }
            self.echo = Some(echo);
        }
    }

    #[inline]
    fn text(&mut self, choice: u32, text: &str, out: &mut Vec<u8>) {
        self.chunk(choice, text, (None, (None, None)), out);
    }

    #[inline]
    fn chunk(
        &mut self,
        choice: u32,
        text: &str,
        (finish, why): (Option<&Finish>, (Option<&StopCause>, Option<&str>)),
        out: &mut Vec<u8>,
    ) {
        self.head.open(choice, out);
        out.extend_from_slice(b",\"text\":");
        json::push_str(out, text);
        let state = &mut self.choices[choice as usize];
        if state.pending.is_empty() {
            out.extend_from_slice(b",\"logprobs\":null");
        } else {
            let pending = std::mem::take(&mut state.pending);
            out.extend_from_slice(b",\"logprobs\":");
            logprobs::push(out, &pending.logprobs, &mut state.offset);
            parts::push_ids(out, &pending.ids);
        }
        let prompt = state.prompt.take();
        parts::push_finish(out, finish, why);
        parts::push_prompt_ids(out, prompt.as_deref());
        self.head.close(out);
    }

    /// Writes what is pending in a chunk of its own: all of it, or only where it is too much to wait.
    fn flush(&mut self, choice: u32, only_full: bool, out: &mut Vec<u8>) {
        let pending = &self.state(choice).pending;
        if !pending.is_empty() && (!only_full || pending.is_full()) {
            self.text(choice, "", out);
        }
    }
}

impl StreamEncoder for CompletionStream {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        match event {
            _ if self.is_over => {}
            Event::Step { choice, step } if *choice < MOST_CHOICES => {
                self.step(*choice, step, out);
            }
            Event::Step { .. } => {}
            Event::Usage(usage) => self.head.note(*usage),
            Event::Failed(error) => self.fail(error, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        for choice in 0..u32::try_from(self.choices.len()).unwrap_or(MOST_CHOICES) {
            self.flush(choice, false, out);
        }
        self.head.end(out);
    }

    fn fail(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.is_over, true) {
            out.extend_from_slice(&error.to_event(None));
        }
    }
}

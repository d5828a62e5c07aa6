//! The stream of a chat answer, from neutral events.

use std::sync::Arc;

use super::logprobs;
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::ir::{Event, Finish, Head, Step, StopCause};
use crate::json;
use crate::openai::write::{ChunkHead, MOST_CHOICES, Pending, ReasoningName, ReplyOptions, parts};

/// Writes `chat.completion.chunk` events.
///
/// Each choice begins with its role in a chunk of its own; the prompt's token ids are told in the first. Log probabilities and token ids ride on the choice's next
/// chunk. A choice that called tools and ended of itself ends with `tool_calls`. Signatures over reasoning have no
/// place in this dialect. A failed answer ends with one error event and no `[DONE]`.
#[derive(Debug)]
pub struct ChatStream {
    head: ChunkHead,
    reasoning: ReasoningName,
    choices: Vec<ChoiceState>,
    /// The prompt's token ids, which ride on the first chunk.
    prompt: Option<Arc<[u32]>>,
    is_over: bool,
}

#[derive(Debug, Default)]
struct ChoiceState {
    has_role: bool,
    calls: u32,
    pending: Pending,
}

impl ChatStream {
    /// A stream that nothing was written of.
    #[must_use]
    pub fn new(head: &Head, options: &ReplyOptions) -> Self {
        let usage = (options.include_usage, options.continuous_usage);
        Self {
            head: ChunkHead::new(head, super::ID_PREFIX, "chat.completion.chunk", usage),
            reasoning: options.reasoning,
            choices: Vec::new(),
            prompt: None,
            is_over: false,
        }
    }

    fn step(&mut self, choice: u32, step: &Step, out: &mut Vec<u8>) {
        if let Step::PromptTokenIds(ids) = step {
            // All choices have the same prompt.
            self.prompt = Some(Arc::clone(ids)).filter(|_| self.choices.is_empty());
            return;
        }
        self.open(choice, out);
        match step {
            Step::Text(text) => self.text(choice, text, out),
            Step::Reasoning(text) => self.thought(choice, text, out),
            Step::Signature(_) | Step::CallEnd | Step::PromptTokenIds(_) => {}
            Step::CallStart { id, name } => self.call_start(choice, (id, name), out),
            Step::CallArguments(more) => self.call_arguments(choice, more, out),
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
            } => self.finished(choice, finish, (stop.as_ref(), violation.as_deref()), out),
        }
    }

    fn state(&mut self, choice: u32) -> &mut ChoiceState {
        &mut self.choices[choice as usize]
    }

    /// Writes the role where the choice is new.
    #[inline]
    fn open(&mut self, choice: u32, out: &mut Vec<u8>) {
        let at = choice as usize;
        if self.choices.len() <= at {
            self.choices.resize_with(at + 1, ChoiceState::default);
        }
        if std::mem::replace(&mut self.choices[at].has_role, true) {
            return;
        }
        self.head.open(choice, out);
        out.extend_from_slice(b",\"delta\":{\"role\":\"assistant\",\"content\":\"\"}");
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":null");
        self.head.close_with(self.prompt.take().as_deref(), out);
    }

    #[inline]
    fn text(&mut self, choice: u32, text: &str, out: &mut Vec<u8>) {
        self.head.open(choice, out);
        out.extend_from_slice(b",\"delta\":{\"content\":");
        json::push_str(out, text);
        self.close(choice, out);
    }

    fn thought(&mut self, choice: u32, text: &str, out: &mut Vec<u8>) {
        self.head.open(choice, out);
        out.extend_from_slice(b",\"delta\":{");
        push_reasoning(out, self.reasoning, text);
        self.close(choice, out);
    }

    fn call_start(&mut self, choice: u32, (id, name): (&str, &str), out: &mut Vec<u8>) {
        let state = self.state(choice);
        let index = state.calls;
        state.calls = state.calls.saturating_add(1);
        self.head.open(choice, out);
        out.extend_from_slice(b",\"delta\":{\"tool_calls\":[{\"index\":");
        json::push_u64(out, index.into());
        out.extend_from_slice(b",\"id\":");
        json::push_str(out, id);
        out.extend_from_slice(b",\"type\":\"function\",\"function\":{\"name\":");
        json::push_str(out, name);
        out.extend_from_slice(b",\"arguments\":\"\"}}]");
        self.close(choice, out);
    }

    fn call_arguments(&mut self, choice: u32, more: &str, out: &mut Vec<u8>) {
        let index = self.state(choice).calls.saturating_sub(1);
        self.head.open(choice, out);
        out.extend_from_slice(b",\"delta\":{\"tool_calls\":[{\"index\":");
        json::push_u64(out, index.into());
        out.extend_from_slice(b",\"function\":{\"arguments\":");
        json::push_str(out, more);
        out.extend_from_slice(b"}}]");
        self.close(choice, out);
    }

    fn finished(
        &mut self,
        choice: u32,
        finish: &Finish,
        why: (Option<&StopCause>, Option<&str>),
        out: &mut Vec<u8>,
    ) {
        let has_calls = self.state(choice).calls > 0;
        self.head.open(choice, out);
        out.extend_from_slice(b",\"delta\":{}");
        self.push_pending(choice, out);
        parts::push_finish(out, Some(told(finish, has_calls)), why);
        self.head.close(out);
    }

    /// Closes the delta and the chunk.
    #[inline]
    fn close(&mut self, choice: u32, out: &mut Vec<u8>) {
        out.push(b'}');
        if self.state(choice).pending.is_empty() {
            out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":null");
        } else {
            self.push_pending(choice, out);
            out.extend_from_slice(b",\"finish_reason\":null");
        }
        self.head.close(out);
    }

    fn push_pending(&mut self, choice: u32, out: &mut Vec<u8>) {
        let pending = std::mem::take(&mut self.state(choice).pending);
        out.extend_from_slice(b",\"logprobs\":");
        logprobs::push(out, &pending.logprobs);
        parts::push_ids(out, &pending.ids);
    }

    /// Writes what is pending in a chunk of its own: all of it, or only where it is too much to wait.
    fn flush(&mut self, choice: u32, only_full: bool, out: &mut Vec<u8>) {
        let pending = &self.state(choice).pending;
        if pending.is_empty() || (only_full && !pending.is_full()) {
            return;
        }
        self.head.open(choice, out);
        out.extend_from_slice(b",\"delta\":{");
        self.close(choice, out);
    }
}

impl StreamEncoder for ChatStream {
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

/// The member or members that hold reasoning.
pub(super) fn push_reasoning(out: &mut Vec<u8>, name: ReasoningName, text: &str) {
    if name != ReasoningName::Reasoning {
        out.extend_from_slice(b"\"reasoning_content\":");
        json::push_str(out, text);
    }
    if name == ReasoningName::Both {
        out.push(b',');
    }
    if name != ReasoningName::ReasoningContent {
        out.extend_from_slice(b"\"reasoning\":");
        json::push_str(out, text);
    }
}

/// What the client is told of an ending.
pub(super) fn told(finish: &Finish, has_calls: bool) -> &Finish {
    match finish {
        Finish::Stop if has_calls => &Finish::ToolCalls,
        other => other,
    }
}

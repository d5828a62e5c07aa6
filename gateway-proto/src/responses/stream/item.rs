//! The item that is being written.

use super::encoder::ResponseStream;
use crate::ir::{Fields, TokenLogprob};
use crate::json::{push_str, push_u64};
use crate::responses::object::{
    ItemStatus, OutputBody, OutputItem, push_logprobs, push_reasoning_part, push_text_part,
};

/// What is known of the open item beside the item itself.
#[derive(Debug)]
pub(super) struct OpenItem {
    /// `,"item_id":"...","output_index":n`, the same in all its events.
    head: Vec<u8>,
    /// The arguments so far of a custom tool's call, whose input can be told only when they are whole.
    custom: String,
}

impl ResponseStream {
    pub(in crate::responses) fn text(&mut self, more: &str, out: &mut Vec<u8>) {
        if !matches!(self.writing(), Some(OutputBody::Message { .. })) {
            let body = OutputBody::Message {
                text: String::new(),
                logprobs: Vec::new(),
            };
            self.open(body, out);
            self.part_event("response.content_part.added", out, |out| {
                push_text_part("", &[], out);
            });
        }
        let new = std::mem::take(&mut self.logprobs);
        self.delta("response.output_text.delta", Some(&new), more, out);
        if let Some(OutputBody::Message { text, logprobs }) = self.writing_mut() {
            text.push_str(more);
            logprobs.extend(new);
        }
    }

    pub(in crate::responses) fn reasoning(&mut self, more: &str, out: &mut Vec<u8>) {
        if !matches!(self.writing(), Some(OutputBody::Reasoning { .. })) {
            let sealed = self.sealed;
            let text = String::new();
            self.open(OutputBody::Reasoning { text, sealed }, out);
            self.part_event("response.content_part.added", out, |out| {
                push_reasoning_part("", out);
            });
        }
        self.forget_logprobs();
        self.delta("response.reasoning_text.delta", None, more, out);
        if let Some(OutputBody::Reasoning { text, .. }) = self.writing_mut() {
            text.push_str(more);
        }
    }

    pub(in crate::responses) fn call_start(&mut self, id: &str, name: &str, out: &mut Vec<u8>) {
        let call_id = id.to_owned();
        let known = self.names.of(name);
        let body = match known {
            Some(tool) if tool.custom => OutputBody::CustomCall {
                call_id,
                name: tool.name.clone(),
                input: String::new(),
            },
            tool => OutputBody::FunctionCall {
                call_id,
                namespace: tool.and_then(|tool| tool.namespace.clone()),
                name: tool.map_or_else(|| name.to_owned(), |tool| tool.name.clone()),
                arguments: String::new(),
            },
        };
        self.open(body, out);
    }

    pub(in crate::responses) fn call_arguments(&mut self, more: &str, out: &mut Vec<u8>) {
        self.forget_logprobs();
        match self.writing() {
            Some(OutputBody::FunctionCall { .. }) => {}
            Some(OutputBody::CustomCall { .. }) => {
                if let Some(open) = &mut self.open {
                    open.custom.push_str(more);
                }
                return;
            }
            _ => return,
        }
        self.item_event("response.function_call_arguments.delta", out, |out| {
            push_text("delta", more, out);
        });
        if let Some(OutputBody::FunctionCall { arguments, .. }) = self.writing_mut() {
            arguments.push_str(more);
        }
    }

    pub(in crate::responses) fn call_end(&mut self, out: &mut Vec<u8>) {
        let is_call = matches!(
            self.writing(),
            Some(OutputBody::FunctionCall { .. } | OutputBody::CustomCall { .. })
        );
        if is_call {
            self.close(ItemStatus::Completed, out);
        }
    }

    /// This API tells log probabilities of text alone, and these belong to something else.
    fn forget_logprobs(&mut self) {
        self.logprobs.clear();
    }

    fn writing(&self) -> Option<&OutputBody> {
        self.open.as_ref()?;
        self.object.output.last().map(|item| &item.body)
    }

    fn writing_mut(&mut self) -> Option<&mut OutputBody> {
        self.open.as_ref()?;
        self.object.output.last_mut().map(|item| &mut item.body)
    }

    fn open(&mut self, body: OutputBody, out: &mut Vec<u8>) {
        self.close(ItemStatus::Completed, out);
        let index = self.object.output.len();
        let id = format!("{}_{}_{index}", body.prefix(), self.seed);
        let mut head = b",\"item_id\":".to_vec();
        push_str(&mut head, &id);
        head.extend_from_slice(b",\"output_index\":");
        push_u64(&mut head, index as u64);
        self.object.output.push(OutputItem {
            id,
            status: ItemStatus::InProgress,
            body,
        });
        self.open = Some(OpenItem {
            head,
            custom: String::new(),
        });
        self.whole_item("response.output_item.added", out);
    }

    /// Closes the open item, if there is one: its part, then the item.
    pub(super) fn close(&mut self, status: ItemStatus, out: &mut Vec<u8>) {
        if self.open.is_none() {
            return;
        }
        self.settle(out);
        if let Some(item) = self.object.output.last_mut() {
            item.status = status;
        }
        self.close_content(out);
        self.whole_item("response.output_item.done", out);
        self.open = None;
    }

    /// Brings in what waited for the end of the item.
    fn settle(&mut self, out: &mut Vec<u8>) {
        let custom = self
            .open
            .as_mut()
            .map(|open| std::mem::take(&mut open.custom));
        let mut left = std::mem::take(&mut self.logprobs);
        let mut empty = false;
        let mut told = None;
        match self.writing_mut() {
            Some(OutputBody::Message { logprobs, .. }) => logprobs.append(&mut left),
            // A call without arguments must still be JSON to its reader.
            Some(OutputBody::FunctionCall { arguments, .. }) => empty = arguments.is_empty(),
            Some(OutputBody::CustomCall { input, .. }) => {
                *input = custom_input(&custom.unwrap_or_default());
                told = Some(input.clone());
            }
            _ => {}
        }
        // Behind reasoning and calls they may belong to the text that comes next.
        self.logprobs = left;
        if empty {
            self.call_arguments("{}", out);
        }
        if let Some(input) = told.filter(|input| !input.is_empty()) {
            self.item_event("response.custom_tool_call_input.delta", out, |out| {
                push_text("delta", &input, out);
            });
        }
    }

    fn close_content(&mut self, out: &mut Vec<u8>) {
        let (Some(open), Some(item)) = (&self.open, self.object.output.last()) else {
            return;
        };
        let mut event = |kind: &str, members: &dyn Fn(&mut Vec<u8>)| {
            self.emitter.event(kind, out, |out| {
                out.extend_from_slice(&open.head);
                members(out);
            });
        };
        match &item.body {
            OutputBody::Message { text, logprobs } => {
                event("response.output_text.done", &|out| {
                    out.extend_from_slice(b",\"content_index\":0,\"logprobs\":");
                    push_logprobs(out, logprobs);
                    push_text("text", text, out);
                });
                event("response.content_part.done", &|out| {
                    out.extend_from_slice(b",\"content_index\":0,\"part\":");
                    push_text_part(text, logprobs, out);
                });
            }
            OutputBody::Reasoning { text, .. } => {
                event("response.reasoning_text.done", &|out| {
                    out.extend_from_slice(b",\"content_index\":0");
                    push_text("text", text, out);
                });
                event("response.content_part.done", &|out| {
                    out.extend_from_slice(b",\"content_index\":0,\"part\":");
                    push_reasoning_part(text, out);
                });
            }
            OutputBody::FunctionCall {
                name, arguments, ..
            } => event("response.function_call_arguments.done", &|out| {
                push_text("name", name, out);
                push_text("arguments", arguments, out);
            }),
            OutputBody::CustomCall { input, .. } => {
                event("response.custom_tool_call_input.done", &|out| {
                    push_text("input", input, out);
                });
            }
        }
    }

    fn delta(
        &mut self,
        kind: &str,
        logprobs: Option<&[TokenLogprob]>,
        more: &str,
        out: &mut Vec<u8>,
    ) {
        self.item_event(kind, out, |out| {
            out.extend_from_slice(b",\"content_index\":0");
            push_text("delta", more, out);
            if let Some(logprobs) = logprobs {
                out.extend_from_slice(b",\"logprobs\":");
                push_logprobs(out, logprobs);
            }
        });
    }

    fn part_event(&mut self, kind: &str, out: &mut Vec<u8>, part: impl FnOnce(&mut Vec<u8>)) {
        self.item_event(kind, out, |out| {
            out.extend_from_slice(b",\"content_index\":0,\"part\":");
            part(out);
        });
    }

    fn item_event(&mut self, kind: &str, out: &mut Vec<u8>, members: impl FnOnce(&mut Vec<u8>)) {
        let Some(open) = &self.open else {
            return;
        };
        self.emitter.event(kind, out, |out| {
            out.extend_from_slice(&open.head);
            members(out);
        });
    }

    fn whole_item(&mut self, kind: &str, out: &mut Vec<u8>) {
        let Some(item) = self.object.output.last() else {
            return;
        };
        let index = self.object.output.len() as u64 - 1;
        self.emitter.event(kind, out, |out| {
            out.extend_from_slice(b",\"output_index\":");
            push_u64(out, index);
            out.extend_from_slice(b",\"item\":");
            item.push(out);
        });
    }
}

/// The plain text that the model was to give as the argument `input`. A model that gave something else meant that.
fn custom_input(arguments: &str) -> String {
    let fields: Option<Fields> = serde_json::from_str(arguments).ok();
    let input = fields.and_then(|fields| {
        let raw = fields.raw("input")?;
        serde_json::from_str(raw).ok()
    });
    input.unwrap_or_else(|| arguments.to_owned())
}

fn push_text(key: &str, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    push_str(out, text);
}

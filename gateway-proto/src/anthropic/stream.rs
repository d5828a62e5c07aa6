//! The stream of a message.

use super::answer::{push_call_head, push_opening};
use super::ending::{self, Ending};
use super::error;
use super::signature::Tag;
use crate::dialect::StreamEncoder;
use crate::error::ApiError;
use crate::ir::{Event, Finish, Head, Step, StopCause, Usage};
use crate::json;

/// Writes a message's stream: `message_start` and `ping`, then each block from its start to its stop, then
/// `message_delta` with the stop reason and the usage, and `message_stop`.
///
/// A block ends where another kind of content begins, so blocks never overlap and their indexes count up. Only the first
/// choice is written. Whatever comes after the end is ignored.
pub struct MessageStream {
    head: Head,
    stage: Stage,
    block: Option<Kind>,
    /// The open block's number, or the next one's.
    index: u64,
    /// What precedes the text of each delta of the open block.
    delta: Vec<u8>,
    tag: Tag,
    /// The signature that came with the open thinking block.
    signature: Option<String>,
    called: bool,
    finish: Option<(Finish, Option<StopCause>, Option<String>)>,
    usage: Option<Usage>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Open,
    Over,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thinking,
    Call,
}

impl Kind {
    /// The delta's type, and its member that holds what is new.
    fn delta(self) -> &'static [u8] {
        match self {
            Self::Text => br#"{"type":"text_delta","text":""#,
            Self::Thinking => br#"{"type":"thinking_delta","thinking":""#,
            Self::Call => br#"{"type":"input_json_delta","partial_json":""#,
        }
    }
}

impl MessageStream {
    /// A stream of which nothing is written yet.
    #[must_use]
    pub fn new(head: Head) -> Self {
        Self {
            head,
            stage: Stage::Fresh,
            block: None,
            index: 0,
            delta: Vec::with_capacity(160),
            tag: Tag::default(),
            signature: None,
            called: false,
            finish: None,
            usage: None,
        }
    }

    fn start(&mut self, out: &mut Vec<u8>) {
        if self.stage != Stage::Fresh {
            return;
        }
        self.stage = Stage::Open;
        push_name(out, "message_start");
        out.extend_from_slice(br#","message":"#);
        push_opening(out, &self.head);
        out.extend_from_slice(br#"[],"stop_reason":null,"stop_sequence":null,"usage":"#);
        ending::push_usage(out, &self.head, self.usage.as_ref());
        out.extend_from_slice(b"}}\n\n");
        push_name(out, "ping");
        out.extend_from_slice(b"}\n\n");
    }

    fn step(&mut self, step: &Step, out: &mut Vec<u8>) {
        match step {
            Step::Text(text) if !text.is_empty() => {
                self.ensure(Kind::Text, out);
                self.push_delta(text, out);
            }
            Step::Reasoning(text) if !text.is_empty() => {
                if self.signature.is_some() {
                    self.close(out);
                }
                self.ensure(Kind::Thinking, out);
                self.tag.update(text);
                self.push_delta(text, out);
            }
            Step::Signature(signature) if self.block == Some(Kind::Thinking) => {
                self.signature = Some(signature.clone());
            }
            Step::CallStart { id, name } => self.open_call(id, name, out),
            Step::CallArguments(more) if self.block == Some(Kind::Call) && !more.is_empty() => {
                self.push_delta(more, out);
            }
            Step::CallEnd if self.block == Some(Kind::Call) => self.close(out),
            Step::Finished {
                finish,
                stop,
                violation,
            } => self.finish = Some((finish.clone(), stop.clone(), violation.clone())),
            _ => {}
        }
    }

    /// Opens a block of text or thinking unless one is open.
    fn ensure(&mut self, kind: Kind, out: &mut Vec<u8>) {
        if self.block == Some(kind) {
            return;
        }
        self.open(kind, out);
        out.extend_from_slice(match kind {
            Kind::Thinking => br#"{"type":"thinking","thinking":"","signature":""}"#,
            _ => br#"{"type":"text","text":""}"#,
        });
        out.extend_from_slice(b"}\n\n");
    }

    fn open_call(&mut self, id: &str, name: &str, out: &mut Vec<u8>) {
        self.called = true;
        self.open(Kind::Call, out);
        push_call_head(out, id, name);
        out.extend_from_slice(b"{}}}\n\n");
    }

    /// Closes the block before, and begins one as far as its `content_block`.
    fn open(&mut self, kind: Kind, out: &mut Vec<u8>) {
        self.close(out);
        self.block = Some(kind);
        push_name(out, "content_block_start");
        push_index(out, self.index);
        out.extend_from_slice(br#","content_block":"#);
        self.delta.clear();
        push_name(&mut self.delta, "content_block_delta");
        push_index(&mut self.delta, self.index);
        self.delta.extend_from_slice(br#","delta":"#);
        self.delta.extend_from_slice(kind.delta());
    }

    fn push_delta(&self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.delta);
        json::push_str_escaped(out, text);
        out.extend_from_slice(b"\"}}\n\n");
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        let Some(kind) = self.block.take() else {
            return;
        };
        if kind == Kind::Thinking {
            self.sign(out);
        }
        push_name(out, "content_block_stop");
        push_index(out, self.index);
        out.extend_from_slice(b"}\n\n");
        self.index += 1;
    }

    fn sign(&mut self, out: &mut Vec<u8>) {
        let tag = std::mem::take(&mut self.tag);
        let signature = self.signature.take().unwrap_or_else(|| tag.finish());
        push_name(out, "content_block_delta");
        push_index(out, self.index);
        out.extend_from_slice(br#","delta":{"type":"signature_delta","signature":"#);
        json::push_str(out, &signature);
        out.extend_from_slice(b"}}\n\n");
    }
}

impl StreamEncoder for MessageStream {
    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        if self.stage == Stage::Over {
            return;
        }
        match event {
            Event::Step { choice: 0, step } => {
                self.start(out);
                self.step(step, out);
            }
            Event::Step { .. } => {}
            // Where it comes first, `message_start` can tell it.
            Event::Usage(usage) => {
                self.usage = Some(*usage);
                self.start(out);
            }
            Event::Failed(error) => self.fail(error, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.stage == Stage::Over {
            return;
        }
        self.start(out);
        self.close(out);
        self.stage = Stage::Over;
        let mut ending = Ending {
            called: self.called,
            ..Ending::default()
        };
        if let Some((finish, stop, violation)) = &self.finish {
            ending.finish = Some(finish);
            ending.stop = stop.as_ref();
            ending.violation = violation.as_deref();
        }
        push_name(out, "message_delta");
        out.extend_from_slice(br#","delta":{"#);
        ending.push(out);
        out.extend_from_slice(br#"},"usage":"#);
        ending::push_usage(out, &self.head, self.usage.as_ref());
        out.extend_from_slice(b"}\n\n");
        push_name(out, "message_stop");
        out.extend_from_slice(b"}\n\n");
    }

    fn fail(&mut self, error: &ApiError, out: &mut Vec<u8>) {
        if self.stage == Stage::Over {
            return;
        }
        self.stage = Stage::Over;
        out.extend_from_slice(b"event: error\ndata: ");
        error::push(out, error, None);
        out.extend_from_slice(b"\n\n");
    }
}

/// Appends an event as far as its type.
fn push_name(out: &mut Vec<u8>, name: &str) {
    for part in ["event: ", name, "\ndata: {\"type\":\"", name, "\""] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn push_index(out: &mut Vec<u8>, index: u64) {
    out.extend_from_slice(br#","index":"#);
    json::push_u64(out, index);
}

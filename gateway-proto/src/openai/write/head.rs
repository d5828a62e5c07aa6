//! What each chunk of one stream begins and ends with.

use super::parts;
use crate::ir::{Head, Usage};
use crate::json;

/// The constant parts of a stream's chunks, and the usage so far.
#[derive(Debug)]
pub(in crate::openai) struct ChunkHead {
    /// Up to the list of choices.
    start: Vec<u8>,
    usage: Usage,
    include_usage: bool,
    continuous_usage: bool,
}

impl ChunkHead {
    pub(in crate::openai) fn new(
        head: &Head,
        prefix: &str,
        kind: &str,
        (include_usage, continuous_usage): (bool, bool),
    ) -> Self {
        let mut start = b"data: {".to_vec();
        parts::push_head(&mut start, head, prefix, kind);
        start.extend_from_slice(b",\"choices\":[");
        let usage = Usage {
            prompt_tokens: head.prompt_tokens.unwrap_or_default(),
            ..Usage::default()
        };
        Self {
            start,
            usage,
            include_usage,
            continuous_usage,
        }
    }

    /// Notes what the answer cost so far.
    pub(in crate::openai) fn note(&mut self, usage: Usage) {
        self.usage = usage;
    }

    /// Opens a chunk with a piece of `choice`.
    #[inline]
    pub(in crate::openai) fn open(&self, choice: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.start);
        out.extend_from_slice(b"{\"index\":");
        json::push_u64(out, choice.into());
    }

    /// Closes the chunk after the last member of its choice.
    #[inline]
    pub(in crate::openai) fn close(&self, out: &mut Vec<u8>) {
        self.close_with(None, out);
    }

    /// The same, with the prompt's token ids beside the choices.
    #[inline]
    pub(in crate::openai) fn close_with(&self, prompt: Option<&[u32]>, out: &mut Vec<u8>) {
        out.extend_from_slice(b"}]");
        parts::push_prompt_ids(out, prompt);
        if self.continuous_usage {
            self.push_usage(out);
        }
        out.extend_from_slice(b"}\n\n");
    }

    /// Ends the stream.
    pub(in crate::openai) fn end(&self, out: &mut Vec<u8>) {
        if self.include_usage {
            out.extend_from_slice(&self.start);
            out.push(b']');
            self.push_usage(out);
            out.extend_from_slice(b"}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }

    fn push_usage(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"usage\":");
        parts::push_usage(out, &self.usage);
    }
}

//! The reader of all wires.

use super::choices::{Choices, finish_for};
use super::{
    TokenCall, TokenEvent, TokenFault, TokenWire, completions, llamacpp, mindie, sglang, trtllm,
    vllm,
};
use crate::error::EngineFault;
use crate::ir::Usage;
use crate::sse::{Decoder, Limits, SseError, markers};

/// The most bytes that are ever taken of one event, or of one document.
const MOST_EVENT_BYTES: usize = 64 << 20;

/// Reads an engine's event stream in any split of its bytes; of a wire without streams, its one document.
///
/// Bounded by the limit of one event. After its end it takes nothing more.
pub struct TokenReader {
    wire: TokenWire,
    decoder: Decoder,
    /// What has come of a document.
    document: Vec<u8>,
    limit_bytes: usize,
    choices: Choices,
    end: Option<Result<(), TokenFault>>,
}

impl TokenReader {
    /// A reader of the answer to `call`, sent on `wire`. Where events list all tokens so far, their limit is raised to
    /// what the call's longest answer needs, up to 64 MiB.
    #[must_use]
    pub fn new(wire: TokenWire, call: &TokenCall, mut limits: Limits) -> Self {
        let longest = match wire {
            TokenWire::SglangGenerate => sglang::event_bytes(call),
            TokenWire::LlamacppCompletion => llamacpp::answer_bytes(call),
            _ => 0,
        };
        limits.event_bytes = limits.event_bytes.max(longest.min(MOST_EVENT_BYTES));
        Self {
            wire,
            document: Vec::new(),
            limit_bytes: limits.event_bytes,
            decoder: Decoder::new(limits),
            choices: Choices::of(call, wire.stops_here()),
            end: None,
        }
    }

    /// Takes in bytes and appends what is new to `out`.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<TokenEvent>) {
        if self.end.is_some() {
            return;
        }
        if self.wire.is_whole() {
            self.collect(chunk);
            return;
        }
        self.decoder.feed(chunk);
        while self.end.is_none() {
            match self.decoder.next_event() {
                Ok(Some(event)) => self.end = self.read(&event.data, out).transpose(),
                Ok(None) => return,
                Err(SseError::TooLong { limit_bytes }) => {
                    self.end = Some(Err(TokenFault::Oversized { limit_bytes }));
                }
            }
        }
    }

    fn collect(&mut self, chunk: &[u8]) {
        let limit_bytes = self.limit_bytes;
        if self.document.len() + chunk.len() > limit_bytes {
            self.end = Some(Err(TokenFault::Oversized { limit_bytes }));
        } else {
            self.document.extend_from_slice(chunk);
        }
    }

    /// The bytes have ended: a stream that has not, has been cut, and a document is whole.
    pub fn finish(&mut self, out: &mut Vec<TokenEvent>) {
        if self.end.is_some() {
            return;
        }
        let document = std::mem::take(&mut self.document);
        let read = match std::str::from_utf8(&document) {
            _ if document.is_empty() => Ok(None),
            Ok(document) => self.read(document, out),
            Err(_) => Err(TokenFault::Malformed),
        };
        // Half a document says nothing.
        let read = read.map_err(|fault| match fault {
            TokenFault::Malformed => TokenFault::Truncated,
            fault => fault,
        });
        self.end = Some(read.and_then(|_| self.closing()));
    }

    /// How the stream ended, once it has: well, or badly. What [`push`](Self::push) gave before stands either way.
    #[must_use]
    pub fn end(&self) -> Option<Result<(), &TokenFault>> {
        self.end.as_ref().map(|end| end.as_ref().map(|&()| ()))
    }

    /// What the engine has counted so far; most count at the end only.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.choices.usage()
    }

    /// Tokens that have come, of all choices.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.choices.counted()
    }

    /// Some engines close without a word; with all choices over, the answer is whole all the same.
    fn closing(&self) -> Result<(), TokenFault> {
        if self.choices.all_finished() {
            Ok(())
        } else {
            Err(TokenFault::Truncated)
        }
    }

    /// Reads one event; gives whether it was the last one.
    fn read(&mut self, data: &str, out: &mut Vec<TokenEvent>) -> Result<Option<()>, TokenFault> {
        if data.trim_ascii() == "[DONE]" {
            return self.closing().map(Some);
        }
        let choices = &mut self.choices;
        let read = match self.wire {
            TokenWire::VllmGenerate => vllm::read(data, choices, out),
            TokenWire::VllmCompletions | TokenWire::OpenAiCompletions => {
                completions::read(data, finish_for, choices, out)
            }
            TokenWire::SglangGenerate => sglang::read(data, choices, out),
            TokenWire::MindieInferToken => mindie::read(data, choices, out),
            TokenWire::TrtllmCompletions => completions::read(data, trtllm::finish, choices, out),
            TokenWire::LlamacppCompletion => llamacpp::read(data, choices, out),
        };
        // An error event has nothing of an answer in it, or does not even look like one.
        if !matches!(read, Ok(true)) && markers::is_error(data.as_bytes()) {
            let fault = EngineFault::parse(200, data.as_bytes());
            return Err(TokenFault::Engine(Box::new(fault)));
        }
        read?;
        let is_last = self.wire.ends_unmarked() && self.choices.all_finished();
        Ok(is_last.then_some(()))
    }
}

//! One answer's ids to text.

use std::sync::Arc;

use super::super::tokenize::{Decoder, Tokenizer};
use super::other::OtherState;
use super::pieces::PieceState;
use super::utf8::Utf8;

/// How an answer is turned into text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetokenizeOptions {
    /// Special tokens give their text; output parsers need it. Otherwise they give nothing.
    pub keep_special: bool,
    /// Ids that give nothing whatever else is said: the end-of-sequence and stop ids.
    pub hidden: Vec<u32>,
    /// The text follows other text (a prompt), so a decoder that removes a space from the start of a text removes none.
    /// Engines decode an answer so; a whole list of ids decoded by itself begins without.
    pub continues: bool,
}

/// Turns the ids of one answer into text as they come, at a constant cost per id.
///
/// Added and special tokens are never set apart by spaces: the slow tokenizers' `spaces_between_special_tokens` has no
/// effect on `tokenizers`, and engines ignore it there. Nor are spaces cleaned up.
#[derive(Clone, Debug)]
pub struct Detokenizer {
    tokenizer: Arc<Tokenizer>,
    options: DetokenizeOptions,
    state: State,
    unknown: u64,
}

#[derive(Clone, Debug)]
enum State {
    Bytes(Utf8),
    Pieces(PieceState),
    Other(OtherState),
}

impl Detokenizer {
    /// Ready for the first id of an answer.
    #[must_use]
    pub fn new(tokenizer: Arc<Tokenizer>, options: DetokenizeOptions) -> Self {
        let state = match tokenizer.decoder() {
            Decoder::ByteLevel => State::Bytes(Utf8::default()),
            Decoder::Pieces(pieces) => State::Pieces(PieceState::new(pieces, options.continues)),
            Decoder::Other => State::Other(OtherState::default()),
        };
        Self {
            tokenizer,
            options,
            state,
            unknown: 0,
        }
    }

    /// Takes in the next id and appends the text that is certain by now. An id that the vocabulary does not have gives
    /// nothing, as in every engine, and is counted.
    pub fn push(&mut self, id: u32, out: &mut String) {
        let Some(token) = self.tokenizer.token(id) else {
            self.unknown += 1;
            return;
        };
        if (token.special && !self.options.keep_special) || self.options.hidden.contains(&id) {
            return;
        }
        match &mut self.state {
            State::Bytes(utf8) => utf8.push(token.bytes, out),
            State::Pieces(pieces) => {
                pieces.push(token.bytes, token.byte, || self.tokenizer.token_of(id), out);
            }
            State::Other(other) => other.push(&self.tokenizer, id, out),
        }
    }

    /// The answer is over: appends what is left. Bytes that are no UTF-8 become U+FFFD, but of a character that the end cuts
    /// off nothing is shown, as by vLLM.
    pub fn finish(&mut self, out: &mut String) {
        match &mut self.state {
            State::Bytes(utf8) => utf8.finish(),
            State::Pieces(pieces) => pieces.finish(out),
            State::Other(other) => other.finish(&self.tokenizer, out),
        }
    }

    /// Whether no character is begun and not complete.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match &self.state {
            State::Bytes(utf8) => utf8.is_empty(),
            State::Pieces(pieces) => pieces.is_whole(),
            State::Other(other) => other.is_whole(),
        }
    }

    /// Ids so far that the vocabulary does not have.
    #[must_use]
    pub fn unknown_ids(&self) -> u64 {
        self.unknown
    }

    /// One token by itself, for log-probabilities: its bytes as text, with U+FFFD for what is no UTF-8, and the bytes.
    /// `None` where there is no such token.
    #[must_use]
    pub fn alone(&self, id: u32) -> Option<(String, &[u8])> {
        let bytes = self.tokenizer.bytes_of(id)?;
        Some((String::from_utf8_lossy(bytes).into_owned(), bytes))
    }
}

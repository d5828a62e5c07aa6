//! Every token's bytes, in one table.

use super::alphabet::push_bytes;
use super::decoder::{Decoder, Pieces};
use super::error::TokenizerError;

/// The largest id that is taken: about sixteen times the largest vocabulary known.
const ID_LIMIT: u32 = (1 << 22) - 1;

const KNOWN: u8 = 1;
const SPECIAL: u8 = 2;
const BYTE: u8 = 4;

/// The bytes that each id stands for in the middle of a text, and what kind of token it is.
#[derive(Debug)]
pub(in crate::text) struct Vocabulary {
    bytes: Vec<u8>,
    /// Where each id's bytes end.
    ends: Vec<u32>,
    flags: Vec<u8>,
}

/// A token of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::text) struct TokenBytes<'a> {
    /// What it stands for in the middle of a text.
    pub(in crate::text) bytes: &'a [u8],
    /// Special tokens are left out of plain text.
    pub(in crate::text) special: bool,
    /// One byte by byte fallback.
    pub(in crate::text) byte: bool,
}

impl Vocabulary {
    /// # Errors
    /// An id is over the limit, or the tokens are too long together.
    pub(super) fn new(
        tokenizer: &tokenizers::Tokenizer,
        decoder: &Decoder,
    ) -> Result<Self, TokenizerError> {
        let mut size = 0;
        for (token, id) in tokenizer.get_vocab(true) {
            if id > ID_LIMIT {
                let limit = ID_LIMIT;
                return Err(TokenizerError::IdTooLarge { token, id, limit });
            }
            size = size.max(id + 1);
        }
        let mut table = Self {
            bytes: Vec::new(),
            ends: Vec::with_capacity(size as usize),
            flags: Vec::with_capacity(size as usize),
        };
        let added = tokenizer.get_added_vocabulary();
        for id in 0..size {
            let token = tokenizer.id_to_token(id);
            let special = token
                .as_deref()
                .is_some_and(|token| added.is_special_token(token));
            table.push(token.as_deref(), special, decoder)?;
        }
        Ok(table)
    }

    fn push(
        &mut self,
        token: Option<&str>,
        special: bool,
        decoder: &Decoder,
    ) -> Result<(), TokenizerError> {
        let mut flags = 0;
        if let Some(token) = token {
            flags |= KNOWN | if special { SPECIAL } else { 0 };
            match decoder {
                Decoder::ByteLevel => push_bytes(token, &mut self.bytes),
                Decoder::Pieces(pieces) => flags |= push_piece(token, pieces, &mut self.bytes),
                Decoder::Other => self.bytes.extend_from_slice(token.as_bytes()),
            }
        }
        let end = u32::try_from(self.bytes.len())
            .map_err(|_| TokenizerError::Whole("tokens of over 4 GiB together".into()))?;
        self.ends.push(end);
        self.flags.push(flags);
        Ok(())
    }

    /// One more than the largest id.
    pub(super) fn size(&self) -> usize {
        self.ends.len()
    }

    /// The token with this id; `None` where the vocabulary has no such token.
    pub(in crate::text) fn token(&self, id: u32) -> Option<TokenBytes<'_>> {
        let at = id as usize;
        let flags = *self.flags.get(at).filter(|flags| **flags & KNOWN != 0)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(TokenBytes {
            bytes: &self.bytes[start as usize..self.ends[at] as usize],
            special: flags & SPECIAL != 0,
            byte: flags & BYTE != 0,
        })
    }
}

/// Appends a token of the SentencePiece kind; returns the flag of a byte where it is one.
fn push_piece(token: &str, pieces: &Pieces, out: &mut Vec<u8>) -> u8 {
    let mut text = token.to_owned();
    for (from, to) in &pieces.replace {
        text = text.replace(from, to);
    }
    match fallback_byte(&text).filter(|_| pieces.byte_fallback) {
        Some(byte) => {
            out.push(byte);
            BYTE
        }
        None => {
            out.extend_from_slice(text.as_bytes());
            0
        }
    }
}

/// The byte that a token such as `<0x0A>` stands for.
fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2)
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

//! Decoders in the way of SentencePiece.

use std::mem;
use std::str;

use super::super::tokenize::Pieces;

/// Bytes by byte fallback that are held at most. A run is all valid or all replaced, so no part of it is certain before
/// its end; past this length its complete characters are let go all the same.
const RUN_LIMIT_BYTES: usize = 256;

/// A run of byte tokens, and what is still to be removed from the start of the text.
#[derive(Clone, Debug)]
pub(super) struct PieceState {
    run: Vec<u8>,
    strip: Option<(char, usize)>,
    without: Option<char>,
}

impl PieceState {
    /// `continues`: the text follows other text, so nothing is removed from its start.
    pub(super) fn new(pieces: &Pieces, continues: bool) -> Self {
        Self {
            run: Vec::new(),
            strip: pieces.strip.filter(|_| !continues),
            without: pieces.first_without.filter(|_| !continues),
        }
    }

    /// The next token. `raw` gives it as the vocabulary writes it.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        is_byte: bool,
        raw: impl FnOnce() -> Option<String>,
        out: &mut String,
    ) {
        if let Some(mark) = self.without.take() {
            let raw = raw().unwrap_or_default();
            return out.extend(raw.chars().filter(|character| *character != mark));
        }
        if is_byte {
            self.run.extend_from_slice(bytes);
            if self.run.len() >= RUN_LIMIT_BYTES {
                self.relieve(out);
            }
            return;
        }
        self.end_run(out);
        let text = str::from_utf8(bytes).expect("made from a string");
        self.emit(text, out);
    }

    /// Whether no run of bytes is open.
    pub(super) fn is_whole(&self) -> bool {
        self.run.is_empty()
    }

    /// The text is over. A run that ends inside a character is shown up to there.
    pub(super) fn finish(&mut self, out: &mut String) {
        if let Err(error) = str::from_utf8(&self.run)
            && error.error_len().is_none()
        {
            self.run.truncate(error.valid_up_to());
        }
        self.end_run(out);
    }

    /// A run of bytes is valid as a whole, or every byte of it is replaced.
    fn end_run(&mut self, out: &mut String) {
        let run = mem::take(&mut self.run);
        match str::from_utf8(&run) {
            Ok(text) => self.emit(text, out),
            Err(_) => self.replace(run.len(), out),
        }
    }

    fn replace(&mut self, bytes: usize, out: &mut String) {
        for _ in 0..bytes {
            self.emit("\u{fffd}", out);
        }
    }

    /// Lets go of what is complete in a run that is too long to hold.
    fn relieve(&mut self, out: &mut String) {
        let run = mem::take(&mut self.run);
        let (valid, invalid) = match str::from_utf8(&run) {
            Ok(_) => (run.len(), 0),
            Err(error) => (error.valid_up_to(), error.error_len().unwrap_or(0)),
        };
        let text = str::from_utf8(&run[..valid]).expect("checked to be valid");
        self.emit(text, out);
        self.replace(invalid, out);
        self.run.extend_from_slice(&run[valid + invalid..]);
    }

    fn emit(&mut self, mut text: &str, out: &mut String) {
        while let Some((mark, times)) = self.strip.filter(|_| !text.is_empty()) {
            match text.strip_prefix(mark) {
                Some(rest) if times > 0 => {
                    text = rest;
                    self.strip = Some((mark, times - 1));
                }
                _ => self.strip = None,
            }
        }
        out.push_str(text);
    }
}

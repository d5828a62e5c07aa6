//! Decoders that are known to nobody but themselves.

use super::super::tokenize::Tokenizer;

/// Ids whose text is certain are dropped once there are so many, all but the last few.
const WINDOW: usize = 64;
/// Ids kept as the context of those that follow.
const CONTEXT: usize = 16;

/// Decodes a window of the last ids anew for each token and gives what it adds.
#[derive(Clone, Debug, Default)]
pub(super) struct OtherState {
    ids: Vec<u32>,
    /// What the window decoded to when text was last given.
    given: String,
}

impl OtherState {
    pub(super) fn push(&mut self, tokenizer: &Tokenizer, id: u32, out: &mut String) {
        self.ids.push(id);
        let text = tokenizer.decode(&self.ids).unwrap_or_default();
        if text.ends_with(char::REPLACEMENT_CHARACTER) && self.ids.len() < WINDOW {
            return;
        }
        self.give(text, out);
        if self.ids.len() >= WINDOW {
            self.ids.drain(..self.ids.len() - CONTEXT);
            self.given = tokenizer.decode(&self.ids).unwrap_or_default();
        }
    }

    /// Whether all that came has been given.
    pub(super) fn is_whole(&self) -> bool {
        !self.given.ends_with(char::REPLACEMENT_CHARACTER)
    }

    pub(super) fn finish(&mut self, tokenizer: &Tokenizer, out: &mut String) {
        let mut text = tokenizer.decode(&self.ids).unwrap_or_default();
        // A character that the end cuts off; what was given before stays.
        let whole = text.trim_end_matches(char::REPLACEMENT_CHARACTER).len();
        text.truncate(whole);
        self.give(text, out);
    }

    /// Text that was given cannot be taken back: only what comes after the part in common is new.
    fn give(&mut self, text: String, out: &mut String) {
        let mut common = 0;
        for ((at, new), old) in text.char_indices().zip(self.given.chars()) {
            if new != old {
                break;
            }
            common = at + new.len_utf8();
        }
        out.push_str(&text[common..]);
        self.given = text;
    }
}

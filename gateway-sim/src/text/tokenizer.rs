//! Text to tokens and back, without loss.
//!
//! The vocabulary is laid out by number:
//!
//! | ids | what a token stands for |
//! |---|---|
//! | 0..16 | marks that are not text: end of answer, begin and end of a turn |
//! | 16..272 | one byte |
//! | next | a common word with the space before it |
//! | next | a word that opens a sentence, without and with a space before it |
//! | next | two printable ASCII characters |
//! | last | three printable ASCII characters |
//!
//! Text is cut from left to right: a common word where one stands, else up to three printable characters, of which only
//! the first may be a space, else one byte. English comes to about two and a half bytes a token.

use super::words::{OPENERS, WORDS};

/// The mark that ends an answer.
pub const EOS: u32 = Special::EndOfAnswer as u32;

/// Tokens that stand for no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Special {
    /// The answer is complete.
    EndOfAnswer = 0,
    /// A turn of a chat begins; its role follows.
    TurnStart = 1,
    /// A turn of a chat ends.
    TurnEnd = 2,
}

const BYTES: u32 = 16;
const COMMON: u32 = BYTES + 256;
const OPENING: u32 = COMMON + WORDS.len() as u32;
const OPENING_SPACED: u32 = OPENING + OPENERS.len() as u32;
const PAIRS: u32 = OPENING_SPACED + OPENERS.len() as u32;
const TRIPLES: u32 = PAIRS + PRINTABLE * PRINTABLE;

/// Printable ASCII characters, from the space on.
const PRINTABLE: u32 = 95;

/// One more than the greatest token.
pub const VOCABULARY: u32 = TRIPLES + PRINTABLE * PRINTABLE * PRINTABLE;

/// The tokens of a text.
///
/// [`decode`] gives the same text back.
#[must_use]
pub fn encode(text: &str) -> Vec<u32> {
    let mut rest = text.as_bytes();
    let mut tokens = Vec::with_capacity(rest.len() / 2 + 1);
    while let Some(&first) = rest.first() {
        let (token, len) = word(rest)
            .or_else(|| characters(rest))
            .unwrap_or((byte(first), 1));
        tokens.push(token);
        rest = &rest[len..];
    }
    tokens
}

/// The text of tokens. Marks and unknown tokens have none; bytes that make no character become U+FFFD.
#[must_use]
pub fn decode(tokens: &[u32]) -> String {
    let mut bytes = Vec::with_capacity(tokens.len() * 3);
    tokens.iter().for_each(|token| append(*token, &mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The token of a byte.
pub(super) const fn byte(byte: u8) -> u32 {
    BYTES + byte as u32
}

/// The token of a common word with a space before it.
pub(super) fn common(place: usize) -> u32 {
    COMMON + u32::try_from(place % WORDS.len()).expect("a short list")
}

/// The token of a word that opens a sentence.
pub(super) fn opening(place: usize, after_space: bool) -> u32 {
    let base = if after_space { OPENING_SPACED } else { OPENING };
    base + u32::try_from(place % OPENERS.len()).expect("a short list")
}

/// Whether a token is a common word, which a sentence may end with.
pub(super) fn is_common(token: u32) -> bool {
    (COMMON..OPENING).contains(&token)
}

/// Whether a token is a mark rather than text.
pub(super) const fn is_mark(token: u32) -> bool {
    token < BYTES
}

/// Turns tokens into text as they come, holding back the bytes of a character that is not complete. Of one that never is,
/// nothing is shown, as by vLLM.
#[derive(Clone, Debug, Default)]
pub struct Detokenizer {
    pending: Vec<u8>,
}

impl Detokenizer {
    /// The text that this token completes.
    pub fn push(&mut self, token: u32) -> String {
        append(token, &mut self.pending);
        let whole = match std::str::from_utf8(&self.pending) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => self.pending.len(),
        };
        let rest = self.pending.split_off(whole);
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending = rest;
        text
    }
}

fn append(token: u32, bytes: &mut Vec<u8>) {
    let ascii = |code: u32| b' ' + u8::try_from(code % PRINTABLE).expect("below 95");
    match token {
        _ if !(BYTES..VOCABULARY).contains(&token) => {}
        _ if token < COMMON => bytes.push((token - BYTES).to_le_bytes()[0]),
        _ if token < OPENING => {
            bytes.push(b' ');
            bytes.extend_from_slice(WORDS[(token - COMMON) as usize].as_bytes());
        }
        _ if token < OPENING_SPACED => {
            bytes.extend_from_slice(OPENERS[(token - OPENING) as usize].as_bytes())
        }
        _ if token < PAIRS => {
            bytes.push(b' ');
            bytes.extend_from_slice(OPENERS[(token - OPENING_SPACED) as usize].as_bytes());
        }
        _ if token < TRIPLES => {
            let code = token - PAIRS;
            bytes.extend([ascii(code / PRINTABLE), ascii(code)]);
        }
        _ => {
            let code = token - TRIPLES;
            bytes.extend([
                ascii(code / PRINTABLE / PRINTABLE),
                ascii(code / PRINTABLE),
                ascii(code),
            ]);
        }
    }
}

/// A whole word at the start of `rest`, with its length in bytes.
fn word(rest: &[u8]) -> Option<(u32, usize)> {
    let spaced = rest[0] == b' ';
    let start = usize::from(spaced);
    let letters = rest[start..]
        .iter()
        .take(12)
        .take_while(|b| b.is_ascii_alphabetic())
        .count();
    let end = start + letters;
    if letters == 0 || rest.get(end).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let word = std::str::from_utf8(&rest[start..end]).expect("ASCII letters");
    let token = match (OPENERS.binary_search(&word), WORDS.binary_search(&word)) {
        (Ok(place), _) => opening(place, spaced),
        (_, Ok(place)) if spaced => common(place),
        _ => return None,
    };
    Some((token, end))
}

/// Up to three printable characters at the start of `rest`, at least two.
fn characters(rest: &[u8]) -> Option<(u32, usize)> {
    let is_printable = |b: u8| (b' '..=b'~').contains(&b);
    let code = |b: u8| u32::from(b - b' ');
    let first = rest.first().copied().filter(|b| is_printable(*b))?;
    let inner = |at: usize| {
        rest.get(at)
            .copied()
            .filter(|b| is_printable(*b) && *b != b' ')
    };
    let second = inner(1)?;
    let pair = code(first) * PRINTABLE + code(second);
    Some(match inner(2) {
        Some(third) => (TRIPLES + pair * PRINTABLE + code(third), 3),
        None => (PAIRS + pair, 2),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn common_words_are_one_token_and_others_a_few() {
        assert_eq!(encode(" river").len(), 1);
        assert_eq!(encode("The river stone").len(), 3);
        assert_eq!(encode("Say hello to the router team.").len(), 10);
        assert_eq!(encode("").len(), 0);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>(), plain in "[ -~]{0,40}", words in "( ?(The|river|of|xy)[.,]?){0,9}") {
            for text in [text, plain, words] {
                let tokens = encode(&text);
                prop_assert!(tokens.iter().all(|token| *token < VOCABULARY && !is_mark(*token)));
                prop_assert_eq!(decode(&tokens), text);
            }
        }

        #[test]
        fn any_tokens_give_the_same_text_piece_by_piece(tokens in prop::collection::vec(0..VOCABULARY + 9, 0..40)) {
            let mut detokenizer = Detokenizer::default();
            let text: String = tokens.iter().map(|token| detokenizer.push(*token)).collect();
            let mut whole = decode(&tokens);
            if !detokenizer.pending.is_empty() {
                prop_assert_eq!(whole.pop(), Some(char::REPLACEMENT_CHARACTER));
            }
            prop_assert_eq!(text, whole);
        }
    }
}

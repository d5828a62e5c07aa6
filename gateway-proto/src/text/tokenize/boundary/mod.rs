//! Where a text may be cut without changing its ids.
//!
//! A tokenizer takes its added tokens (`<|im_end|>`, `<think>`, ...) out of a text before anything else is done, and treats
//! what lies between two of them by itself. So a text may be cut behind such a token, and the rest encoded by itself, with
//! the token before it as an anchor whose id is dropped: the rest is then not the start of a text either. Tokens that look
//! at their neighbours (`rstrip`, `single_word`, those that match only after normalisation) are left out, by the structure
//! of the tokenizer; what is left is tried beside awkward neighbours when the tokenizer is loaded, and a token that fails is
//! left out too. Where none remains, nothing is cut and [`Boundaries::refusal`] says why.

mod finder;
mod probe;
mod structure;

use std::fmt;

use super::error::TokenizerError;
use super::shape::Shape;
pub(super) use finder::Cut;
use finder::Finder;

/// The added tokens of one tokenizer behind which a text may be cut.
#[derive(Debug)]
pub struct Boundaries {
    found: Result<Finder, Refusal>,
}

/// Why texts are never cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The tokenizer gives the same text different ids (BPE dropout).
    Random,
    /// The configuration says that special tokens in a text are ordinary text.
    SpecialSplit,
    /// No added token is safe.
    NoSafeToken,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Random => "the tokenizer drops merges at random",
            Self::SpecialSplit => "special tokens are split like ordinary text",
            Self::NoSafeToken => "no added token is independent of its neighbours",
        })
    }
}

impl Boundaries {
    pub(super) fn find(
        tokenizer: &tokenizers::Tokenizer,
        shape: &Shape,
    ) -> Result<Self, TokenizerError> {
        let found = if shape.is_random() {
            Err(Refusal::Random)
        } else if tokenizer.get_encode_special_tokens() {
            Err(Refusal::SpecialSplit)
        } else {
            let classes = structure::classes(tokenizer, &shape.normalizer);
            let proven = probe::proven(tokenizer, &classes);
            let finder = Finder::new(&classes, &proven)?;
            Some(finder)
                .filter(|_| !proven.is_empty())
                .ok_or(Refusal::NoSafeToken)
        };
        Ok(Self { found })
    }

    /// Why nothing is ever cut; `None` where texts are cut.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        self.found.as_ref().err().copied()
    }

    /// How many tokens a text may be cut behind.
    #[must_use]
    pub fn safe_tokens(&self) -> usize {
        self.found.as_ref().map_or(0, Finder::safe_tokens)
    }

    /// Appends the places where `text` may be cut, from left to right. Those in a prefix that ends with one of them are the
    /// same whatever follows.
    pub(super) fn cuts(&self, text: &str, out: &mut Vec<Cut>) {
        if let Ok(finder) = &self.found {
            finder.cuts(text, out);
        }
    }
}

//! Whose words an engine speaks: made-up ones of its own vocabulary, or those of a real model's tokenizer by a script.

mod begun;
mod error;
mod files;
mod model;
mod script;

pub use error::VoiceError;
pub use model::ModelVoice;
pub use script::{Rule, Script};

use super::{Detokenizer, EOS, VOCABULARY, Writer};

/// The length of an answer to something else, in tokens of this crate's vocabulary.
const NONSENSE_TOKENS: usize = 256;

/// How an engine reads and writes.
#[derive(Debug, Default)]
pub enum Voice {
    /// The vocabulary of [`encode`](super::encode), without any file.
    #[default]
    Plain,
    /// A model's own tokenizer and chat template.
    Model(Box<ModelVoice>),
}

impl Voice {
    /// The tokens of a text.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        match self {
            Self::Plain => super::encode(text),
            Self::Model(model) => model.encode(text),
        }
    }

    /// The text of tokens.
    #[must_use]
    pub fn decode(&self, tokens: &[u32]) -> String {
        match self {
            Self::Plain => super::decode(tokens),
            Self::Model(model) => model.decode(tokens),
        }
    }

    /// One more than the greatest token.
    #[must_use]
    pub fn vocabulary(&self) -> u32 {
        match self {
            Self::Plain => VOCABULARY,
            Self::Model(model) => model.vocabulary(),
        }
    }

    /// The token that ends an answer.
    #[must_use]
    pub fn eos(&self) -> u32 {
        match self {
            Self::Plain => EOS,
            Self::Model(model) => model.eos(),
        }
    }

    /// Turns tokens into text as they come.
    #[must_use]
    pub fn speech(&self) -> Speech<'_> {
        match self {
            Self::Plain => Speech::Plain(Detokenizer::default()),
            Self::Model(model) => Speech::Model {
                model,
                pending: Vec::new(),
            },
        }
    }

    /// Answers something else than `prompt`, as a model does whose KV was overwritten.
    #[must_use]
    pub fn nonsense(&self, prompt: &[u32], seed: u64) -> Author {
        let mut writer = Writer::new(!seed);
        writer.read(prompt);
        let words = std::iter::repeat_with(|| writer.write(false)).take(NONSENSE_TOKENS);
        let text = super::decode(&words.collect::<Vec<_>>());
        Author::of(self.encode(&text), self.eos())
    }

    /// Answers `prompt` token by token; another `choice` begins with another token.
    #[must_use]
    pub fn author(&self, prompt: &[u32], seed: u64, choice: u32) -> Author {
        match self {
            Self::Plain => {
                let mut writer = Writer::new(seed);
                writer.read(prompt);
                writer.nudge(choice);
                Author::Writer(writer)
            }
            Self::Model(model) => Author::of(model.answer(prompt, seed, choice), model.eos()),
        }
    }
}

/// Writes an answer.
#[derive(Debug)]
pub enum Author {
    /// Word by word.
    Writer(Writer),
    /// What was settled beforehand.
    Script {
        /// What is left of it.
        tokens: std::vec::IntoIter<u32>,
        /// What ends it.
        eos: u32,
    },
}

impl Author {
    /// Of an answer that is settled, without the token that ends it.
    #[must_use]
    pub fn of(tokens: Vec<u32>, eos: u32) -> Self {
        Self::Script {
            tokens: tokens.into_iter(),
            eos,
        }
    }

    /// The next token; the end of the answer comes only where `may_end`, and a script has only so many words.
    pub fn write(&mut self, may_end: bool) -> Option<u32> {
        match self {
            Self::Writer(writer) => Some(writer.write(may_end)),
            Self::Script { tokens, eos } => tokens.next().or(may_end.then_some(*eos)),
        }
    }
}

/// Turns tokens into text as they come, holding back the bytes of a character that is not complete. Of one that never is,
/// nothing is shown, as by vLLM.
#[derive(Debug)]
pub enum Speech<'a> {
    /// Of the engine's own vocabulary.
    Plain(Detokenizer),
    /// Of a model's.
    Model {
        /// The model.
        model: &'a ModelVoice,
        /// Bytes of a character begun.
        pending: Vec<u8>,
    },
}

impl Speech<'_> {
    /// The text that this token completes. The token that ends an answer has none.
    pub fn push(&mut self, token: u32) -> String {
        match self {
            Self::Plain(detokenizer) => detokenizer.push(token),
            Self::Model { model, pending } => {
                if token != model.eos() {
                    pending.extend_from_slice(model.bytes(token));
                }
                let whole = match std::str::from_utf8(pending) {
                    Err(error) if error.error_len().is_none() => error.valid_up_to(),
                    _ => pending.len(),
                };
                let rest = pending.split_off(whole);
                let text = String::from_utf8_lossy(pending).into_owned();
                *pending = rest;
                text
            }
        }
    }
}

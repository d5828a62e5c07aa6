//! What the simulated engine reads and says.
//!
//! Text becomes tokens by a reversible tokenizer without any data file ([`encode`], [`decode`]), and answers are written
//! word by word, each word a pure function of the tokens before it and a seed ([`Writer`]). So the same prompt gets the
//! same answer from every engine, streamed or not, and an answer that is continued elsewhere from its own tokens goes on
//! as it would have.
//!
//! With a model's files ([`ModelVoice`]) an engine speaks that model's tokens instead, and says what a script tells it to.

mod template;
mod tokenizer;
mod voice;
mod words;
mod writer;

pub use template::{Turn, render};
pub use tokenizer::{Detokenizer, EOS, Special, VOCABULARY, decode, encode};
pub use voice::{Author, ModelVoice, Rule, Script, Speech, Voice, VoiceError};
pub use writer::Writer;

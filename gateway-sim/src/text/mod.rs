//! What the simulated engine reads and says.
//!
//! Text becomes tokens by a reversible tokenizer without any data file ([`encode`], [`decode`]), and answers are written
//! word by word, each word a pure function of the tokens before it and a seed ([`Writer`]). So the same prompt gets the
//! same answer from every engine, streamed or not, and an answer that is continued elsewhere from its own tokens goes on
//! as it would have.

mod template;
mod tokenizer;
mod words;
mod writer;

pub use template::{Turn, render};
pub use tokenizer::{Detokenizer, EOS, Special, VOCABULARY, decode, encode};
pub use writer::Writer;

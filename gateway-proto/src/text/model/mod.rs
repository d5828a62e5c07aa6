//! One model at the edge: its template, tokenizer, parser and defaults, from a conversation to a prompt in token ids and
//! from token ids to the events of an answer.
//!
//! ```text
//! Request ─ TextModel::prepare ─▶ Prepared { prompt, limits, constraint } ─▶ engine
//! Event  ◀─ Reader::push ◀─ token ids ◀──────────────────────────────────────┘
//! ```

mod constraint;
mod defaults;
mod error;
mod files;
mod limits;
mod load;
mod options;
mod prepare;
mod reader;
mod reasoning;
mod roles;
mod schema;
mod strict;
mod templates;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use constraint::Constraint;
pub use defaults::Defaults;
pub use error::{ModelError, PrepareError};
pub use files::ModelFiles;
pub use load::TextModel;
pub use options::ModelOptions;
pub use prepare::Prepared;
pub use reader::{Continuation, Reader, Verdict};
pub use strict::StrictFormat;

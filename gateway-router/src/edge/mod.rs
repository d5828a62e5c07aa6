//! The edge: a neutral request in, the events of its answer out, whatever the engine speaks.
//!
//! * **By tokens** ([`Ask::model`] is there): this side renders, tokenizes, detokenizes and parses; the engine sees token
//!   ids alone. An answer may take several calls: reasoning is closed at its budget, and a form that the answer must have
//!   is enforced from where reasoning ends.
//! * **By text**: the request becomes a chat or completion request of the engine's own, and its stream is read back.
//!
//! Either way the events are the same, and one writer per dialect turns them into bytes.

mod again;
mod ask;
mod by_text;
mod by_tokens;
mod events;
mod promise;
mod refuse;
mod report;
mod strand;
mod strands;
mod turns;

pub use ask::{AnswerReply, Ask, Preparation};
pub use events::AnswerEvents;
pub use report::EdgeReport;
pub use turns::in_turn;

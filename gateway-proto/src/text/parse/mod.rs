//! What models write, read as one ordered stream of content, reasoning and tool calls.
//!
//! A [`Parser`] is fed the detokenized output piece by piece, special tokens included as their text, and gives
//! [`Piece`]s in the order in which the model wrote them. However the output is split, the pieces joined are the same.
//!
//! [`ParserSpec`] says which parser an answer gets; a family's file says what its format is. What all of them keep:
//!
//! * Text and reasoning come out byte for byte. What does not come out is a marker of a recognised construct, the
//!   whitespace that belongs to one, or what frames a call's name and arguments.
//! * A call that is broken before its name is certain comes out as text, markers included. One that breaks later goes on
//!   as arguments, as the call has begun by then; its end comes with its closing marker or with the answer's.
//! * Arguments stream as they come; a value that must be converted comes as soon as its type is certain.
//! * What is held back is bounded: an ambiguous beginning of a marker, up to 64 bytes of whitespace before one, and the
//!   head of a call until its name is certain.
//! * A closing tag that the model forgot is forgiven, and whitespace around markers and reasoning is not content: engines
//!   differ there, and a conversation that is rendered again gets the whitespace of its template anyway.
//! * Calls of functions that the request does not have are calls all the same. Ids are the model's own, so they need not
//!   be unique in a conversation.
mod ahead;
mod answer;
mod bare;
mod check;
mod cursor;
mod deepseek;
mod detect;
mod driver;
mod escape;
mod family;
mod gemma;
mod harmony;
mod hermes;
mod json;
mod kimi;
mod llama3;
mod marks;
mod mistral;
mod plain;
mod python;
mod pythonic;
mod reasoning;
mod scan;
mod section;
mod spec;
mod tagged;
mod tags;
#[cfg(test)]
mod tests;
mod typed;

#[doc(hidden)]
pub use check::fuzz;
pub use family::{Family, UnknownFamily};
pub use reasoning::{ReasoningStyle, Tags};
pub use spec::{ParserSpec, ToolSpec};

/// A step of what a model writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text for the reader.
    Text(String),
    /// Reasoning.
    Reasoning(String),
    /// A tool call begins: its name is complete. `id` where the model itself gives one.
    CallStart {
        /// The id that the model wrote, if its format has one.
        id: Option<String>,
        /// The function.
        name: String,
    },
    /// More of the current call's arguments, as JSON text.
    CallArguments(String),
    /// The current call is complete.
    CallEnd,
}

/// Reads one answer.
pub trait Parser: Send {
    /// Takes in more text and appends what is certain by now to `out`. Only an ambiguous prefix of a marker is held back.
    fn push(&mut self, text: &str, out: &mut Vec<Piece>);

    /// The answer is over: appends everything still held back. What was no valid call comes out as text.
    fn finish(&mut self, out: &mut Vec<Piece>);

    /// Whether the parser is inside reasoning now.
    fn is_reasoning(&self) -> bool;
}

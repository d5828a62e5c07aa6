//! Tools: what the model is offered, and under which names.
mod choice;
mod decode;
mod names;

pub(super) use choice::decode_choice;
pub(super) use decode::{Tools, decode_tools};
pub use names::{ToolName, ToolNames};

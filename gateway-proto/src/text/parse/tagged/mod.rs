//! Calls whose parameters stand between tags, each value as bare text.
//!
//! What the formats have in common: a call's head names the function, each parameter has a head of its own, and a value
//! is raw text up to its closing tag, neither quoted nor escaped. Entities and CDATA are not resolved, as models write
//! none. A [`Shape`] says the rest.
//!
//! Strings go out as they come; all that is held back is what may be the beginning of a tag, with the line break before it
//! where the format has one there. Values of other types wait for their end, as they are known to be JSON only then;
//! beyond [`LONGEST_WAIT`] bytes they count as strings. The types are those of the tool's schema; what is no JSON of the
//! right type is a string.
//!
//! A value also ends where the next parameter or the end of the call comes without its own closing tag, as the engines
//! have it: models forget those. Other text between parameters breaks the call: it goes on as raw arguments up to the
//! call's end.
mod heads;
mod reader;
mod shape;
mod value;

pub(super) use reader::Tagged;
pub(super) use shape::{DSML, GLM, MINIMAX_M2, QWEN3_CODER, Shape};

/// The longest value that is held back until its end, in bytes.
const LONGEST_WAIT: usize = 1 << 20;

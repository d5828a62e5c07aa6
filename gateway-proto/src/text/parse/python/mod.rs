//! Arguments written as a Python call, as `city='Paris', days=3`, turned into a JSON object while they arrive.
//!
//! What Python's literals can say and JSON can too is taken: strings with all escapes, triple quotes and the prefixes `r`
//! and `u`, numbers in all notations, lists, tuples (as arrays), dictionaries (keys as `json.dumps` writes them), `True`,
//! `False`, `None` and the JSON spellings of those. Everything else (names, calls, operators, sets, bytes, infinite
//! numbers) is [`Never`](super::ahead::Miss::Never).
mod arguments;
mod broken;
mod escape;
mod scalar;
#[cfg(test)]
mod tests;

pub(super) use arguments::{Arguments, Took, argument_name, is_name_start, literal};
pub(super) use broken::Broken;
pub(super) use scalar::{LONGEST as LONGEST_NUMBER, goes_on as in_number};

//! `for x in y` through a function.

use super::scan::{is_word, top_level};
use crate::text::template::python::ITERATE;

/// Puts what a loop goes through into a call.
pub(super) fn rewrite(code: &str) -> Option<String> {
    let places = top_level(code);
    let mut words = places.iter().copied();
    let from = words.find(|at| is_word(code, *at, "in"))? + 2;
    let ends = |at: &usize| is_word(code, *at, "if") || is_word(code, *at, "recursive");
    let close = code.strip_suffix("%}")?;
    let close = close.trim_end_matches(['-', '+']).len();
    let to = words.find(ends).unwrap_or(close);
    let inside = code.get(from..to)?;
    Some(format!(
        "{} {ITERATE}({inside}){}",
        &code[..from],
        &code[to..]
    ))
}

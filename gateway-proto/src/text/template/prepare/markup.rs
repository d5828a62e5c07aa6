//! Sums with texts marked `safe`.

use super::scan::{is_word, top_level};
use crate::text::template::python::MARKUP;

/// Words of other operators: with one of them at the top an expression is no mere sum.
const OTHERS: [&str; 6] = ["if", "and", "or", "not", "in", "is"];

/// Turns `{{ a|safe + b + c }}` into a call with the summands.
pub(super) fn rewrite(code: &str) -> Option<String> {
    let inside = code.strip_prefix("{{")?.strip_suffix("}}")?;
    let trimmed = inside.trim_end_matches('-');
    let (end, start) = (
        2 + trimmed.len(),
        2 + usize::from(inside.starts_with(['-', '+'])),
    );
    let places: Vec<usize> = top_level(code)
        .into_iter()
        .filter(|at| (start..end).contains(at))
        .collect();
    let bytes = code.as_bytes();
    let is_safe = places.iter().any(|at| is_word(code, *at, "safe"));
    let is_other = places.iter().any(|at| {
        matches!(
            bytes[*at],
            b'~' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' | b'-' | b','
        ) || OTHERS.iter().any(|word| is_word(code, *at, word))
    });
    let plus: Vec<usize> = places.into_iter().filter(|at| bytes[*at] == b'+').collect();
    if !is_safe || is_other || plus.is_empty() {
        return None;
    }
    let mut summands = Vec::with_capacity(plus.len() + 1);
    let mut from = start;
    for at in plus.into_iter().chain([end]) {
        summands.push(&code[from..at]);
        from = at + 1;
    }
    let (open, close) = (&code[..start], &code[end..]);
    Some(format!("{open} {MARKUP}({}){close}", summands.join(",")))
}

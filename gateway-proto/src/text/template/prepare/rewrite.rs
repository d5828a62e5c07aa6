//! One tag in other words.

use std::borrow::Cow;

use super::scan::statement;
use super::{loops, markup, slices};

/// Rewrites `{{ ... }}` or `{% ... %}`.
pub(super) fn rewrite(code: &str) -> Cow<'_, str> {
    let word = statement(code);
    if let Some((word @ ("generation" | "endgeneration"), at)) = word {
        let with = if word == "generation" {
            "with"
        } else {
            "endwith"
        };
        return Cow::Owned(format!("{}{with}{}", &code[..at], &code[at + word.len()..]));
    }
    let is_loop = word.is_some_and(|(word, _)| word == "for");
    let code = if code.contains(':') {
        Cow::Owned(slices::rewrite(code))
    } else {
        Cow::Borrowed(code)
    };
    let rewritten = if is_loop {
        loops::rewrite(&code)
    } else {
        markup::rewrite(&code)
    };
    rewritten.map_or(code, Cow::Owned)
}

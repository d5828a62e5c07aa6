//! Safe tokens in a text, found as the tokenizer itself finds them.

use std::collections::HashSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::super::error::TokenizerError;
use super::structure::{Classes, Member};

/// A place where a text may be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Cut {
    /// Where the token before the cut begins: what follows is encoded from here, and the first id dropped.
    pub(in super::super) anchor: usize,
    /// The cut: the end of that token.
    pub(in super::super) end: usize,
}

#[derive(Debug)]
pub(super) struct Finder {
    raw: Matcher,
    normalized: Matcher,
}

/// All tokens of a class, safe or not: those that are not still take their text away from the others.
#[derive(Debug)]
struct Matcher {
    /// `None` where the class is empty.
    search: Option<AhoCorasick>,
    is_safe: Vec<bool>,
}

impl Finder {
    pub(super) fn new(classes: &Classes, safe: &HashSet<u32>) -> Result<Self, TokenizerError> {
        Ok(Self {
            raw: Matcher::new(&classes.raw, safe)?,
            normalized: Matcher::new(&classes.normalized, safe)?,
        })
    }

    pub(super) fn safe_tokens(&self) -> usize {
        let all = self.raw.is_safe.iter().chain(&self.normalized.is_safe);
        all.filter(|safe| **safe).count()
    }

    pub(super) fn cuts(&self, text: &str, out: &mut Vec<Cut>) {
        let mut gap = 0;
        for found in self.raw.matches(text) {
            self.in_gap(text, gap, found.start, out);
            gap = found.end;
            if found.is_safe {
                out.push(found.cut(0));
            }
        }
        self.in_gap(text, gap, text.len(), out);
    }

    fn in_gap(&self, text: &str, start: usize, end: usize, out: &mut Vec<Cut>) {
        if start < end {
            let found = self.normalized.matches(&text[start..end]);
            out.extend(
                found
                    .filter(|found| found.is_safe)
                    .map(|found| found.cut(start)),
            );
        }
    }
}

struct Found {
    start: usize,
    end: usize,
    is_safe: bool,
}

impl Found {
    fn cut(&self, base: usize) -> Cut {
        Cut {
            anchor: base + self.start,
            end: base + self.end,
        }
    }
}

impl Matcher {
    fn new(class: &[Member], safe: &HashSet<u32>) -> Result<Self, TokenizerError> {
        let search = if class.is_empty() {
            None
        } else {
            let texts = class.iter().map(|member| &member.text);
            let search = AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(texts)
                .map_err(|error| TokenizerError::Whole(error.into()))?;
            Some(search)
        };
        let is_safe = class.iter().map(|member| safe.contains(&member.id));
        Ok(Self {
            search,
            is_safe: is_safe.collect(),
        })
    }

    fn matches<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Found> + 'a {
        let search = self.search.as_ref();
        let matches = search
            .into_iter()
            .flat_map(move |search| search.find_iter(text));
        matches.map(|found| Found {
            start: found.start(),
            end: found.end(),
            is_safe: self.is_safe[found.pattern().as_usize()],
        })
    }
}

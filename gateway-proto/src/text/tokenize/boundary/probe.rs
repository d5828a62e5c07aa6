//! Candidates tried beside awkward neighbours.

use std::collections::HashSet;

use super::structure::{Classes, Member};

/// Tokens that are tried at most: special ones first, then those with the largest ids. Vocabularies with more added tokens
/// have them in reserve.
const TRIED: usize = 1024;

/// What stands before the token.
const LEFT: [&str; 8] = [
    "",
    "a",
    "Hello,",
    " ",
    "x \n",
    "\r\n",
    "e\u{301}",
    "\u{2581}<",
];
/// What stands behind it: words, white space, what joins the character before it, what other rules split on.
const RIGHT: [&str; 16] = [
    "b",
    " b",
    "  c",
    "\n",
    "\n\nd",
    "\r\ne",
    "\u{301}f",
    "\u{200d}\u{fe0f}",
    "1",
    "'s g",
    "\u{2581}h",
    "<",
    ">",
    "\t",
    "\u{4f60}",
    "_i",
];

/// The ids of the tokens behind which a cut changes nothing in any trial.
pub(super) fn proven(tokenizer: &tokenizers::Tokenizer, classes: &Classes) -> HashSet<u32> {
    let all = classes.raw.iter().chain(&classes.normalized);
    let mut candidates: Vec<&Member> = all.filter(|member| member.is_candidate).collect();
    candidates.sort_by_key(|member| (!member.special, std::cmp::Reverse(member.id)));
    candidates.truncate(TRIED);
    let neighbours: Vec<&str> = candidates
        .iter()
        .take(2)
        .map(|member| &*member.text)
        .collect();
    let holds = |member: &&Member| {
        let pairs = pairs(&neighbours);
        pairs
            .into_iter()
            .all(|(a, b)| cut_changes_nothing(tokenizer, member, a, &b))
    };
    candidates
        .into_iter()
        .filter(holds)
        .map(|member| member.id)
        .collect()
}

/// Every left and every right side at least twice, in changing company; other added tokens among them.
fn pairs(neighbours: &[&str]) -> Vec<(&'static str, String)> {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for (at, right) in RIGHT.into_iter().enumerate() {
        pairs.push((LEFT[at % LEFT.len()], right.to_owned()));
        pairs.push((
            LEFT[(at + at / LEFT.len() + 3) % LEFT.len()],
            right.to_owned(),
        ));
    }
    for neighbour in neighbours {
        pairs.push(("y", (*neighbour).to_owned()));
        pairs.push(("", format!(" {neighbour} z")));
    }
    pairs
}

/// Whether `a`, the token and `b` together have the ids of the part up to the cut, and of the part behind it encoded with
/// the token as its anchor.
fn cut_changes_nothing(
    tokenizer: &tokenizers::Tokenizer,
    member: &Member,
    a: &str,
    b: &str,
) -> bool {
    let token = &member.text;
    let encode = |text: String| {
        let encoding = tokenizer.encode_fast(text, false).ok()?;
        Some(encoding.get_ids().to_vec())
    };
    let parts = (
        encode(format!("{a}{token}{b}")),
        encode(format!("{a}{token}")),
        encode(format!("{token}{b}")),
    );
    let (Some(whole), Some(mut head), Some(tail)) = parts else {
        return false;
    };
    if head.last() != Some(&member.id) || tail.first() != Some(&member.id) {
        return false;
    }
    head.extend_from_slice(&tail[1..]);
    head == whole
}

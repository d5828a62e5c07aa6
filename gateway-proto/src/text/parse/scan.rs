//! Markers in text that comes in pieces.

/// The most whitespace before a marker that counts as part of it, in bytes. It bounds what a run of newlines holds back.
pub(super) const MOST_SPACE: usize = 64;

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The first marker.
    Marker {
        /// Where the text before it ends.
        text: usize,
        /// The whitespace between the two, in bytes.
        space: usize,
        /// Its place in the list.
        which: usize,
    },
    /// No marker; the text up to here is certain, and what follows may still become one.
    Nothing {
        /// Where the certain text ends.
        text: usize,
    },
}

/// Looks for the first of `markers`, none of which is empty. Whitespace right before a marker belongs
/// to it, up to a bound. Allocates nothing.
pub(super) fn find(text: &str, markers: &[&str], ended: bool) -> Found {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = next_candidate(&bytes[from..], markers).map(|at| from + at) {
        match matches(&text[at..], markers, ended) {
            Match::Full(which) => {
                let space = space_before(&bytes[..at]);
                return Found::Marker {
                    text: at - space,
                    space,
                    which,
                };
            }
            Match::Partial => {
                return Found::Nothing {
                    text: at - space_before(&bytes[..at]),
                };
            }
            Match::No => from = at + 1,
        }
    }
    let held = if ended || markers.is_empty() {
        0
    } else {
        space_before(bytes)
    };
    Found::Nothing {
        text: bytes.len() - held,
    }
}

/// How a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// With this marker.
    Full(usize),
    /// The whole text is the beginning of a marker.
    Partial,
    /// With none.
    No,
}

/// Which of `markers` the text begins with: the longest, and while a longer one may still come, none yet.
pub(super) fn matches(text: &str, markers: &[&str], ended: bool) -> Match {
    if !ended
        && markers
            .iter()
            .any(|m| m.len() > text.len() && m.starts_with(text))
    {
        return Match::Partial;
    }
    let found = markers
        .iter()
        .enumerate()
        .filter(|(_, m)| text.starts_with(**m));
    match found.max_by_key(|(_, m)| m.len()) {
        Some((which, _)) => Match::Full(which),
        None => Match::No,
    }
}

/// The length of the whitespace at the beginning.
pub(super) fn space_at(text: &str) -> usize {
    text.bytes().take_while(|b| is_space(*b)).count()
}

/// The whitespace that formats put around their markers.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn space_before(bytes: &[u8]) -> usize {
    let run = bytes.iter().rev().take(MOST_SPACE);
    run.take_while(|b| is_space(**b)).count()
}

/// The next place where a marker could begin: always on a character's first byte, as markers begin with one.
fn next_candidate(bytes: &[u8], markers: &[&str]) -> Option<usize> {
    let first = |i: usize| markers[i].as_bytes()[0];
    let (mut set, mut kinds) = ([0_u8; 3], 0);
    for byte in (0..markers.len()).map(first) {
        if !set[..kinds.min(3)].contains(&byte) {
            if kinds == 3 {
                return bytes
                    .iter()
                    .position(|b| markers.iter().any(|m| m.as_bytes()[0] == *b));
            }
            set[kinds] = byte;
            kinds += 1;
        }
    }
    match kinds {
        0 => None,
        1 => memchr::memchr(set[0], bytes),
        2 => memchr::memchr2(set[0], set[1], bytes),
        _ => memchr::memchr3(set[0], set[1], set[2], bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ambiguous_suffix_is_all_that_is_held() {
        let markers = ["<tool_call>", "</think>"];
        for (text, certain) in [
            ("abc", 3),
            ("abc <", 3),
            ("a<b</thi", 3),
            ("a<tool_calm", 11),
        ] {
            assert_eq!(
                find(text, &markers, false),
                Found::Nothing { text: certain },
                "{text}"
            );
            assert_eq!(
                find(text, &markers, true),
                Found::Nothing { text: text.len() }
            );
        }
    }

    #[test]
    fn the_first_marker_takes_the_space_before_it() {
        let found = find(
            "a b\n \n</think><tool_call>",
            &["<tool_call>", "</think>"],
            false,
        );
        let expected = Found::Marker {
            text: 3,
            space: 3,
            which: 1,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_long_run_of_space_is_held_in_part_only() {
        let text = " ".repeat(1_000);
        let found = find(&text, &["<"], false);
        assert_eq!(
            found,
            Found::Nothing {
                text: 1_000 - MOST_SPACE
            }
        );
    }

    #[test]
    fn a_longer_marker_is_waited_for() {
        let markers = ["[", "[THINK]"];
        assert_eq!(matches("[", &markers, false), Match::Partial);
        assert_eq!(matches("[", &markers, true), Match::Full(0));
        assert_eq!(matches("[{", &markers, false), Match::Full(0));
        assert_eq!(matches("[THINK]", &markers, false), Match::Full(1));
    }

    #[test]
    fn a_multibyte_marker_is_held_by_its_first_character() {
        let markers = ["<\u{ff5c}tool"];
        assert_eq!(
            find("x<\u{ff5c}", &markers, false),
            Found::Nothing { text: 1 }
        );
        assert_eq!(
            find("x\u{ff5c}", &markers, false),
            Found::Nothing { text: 4 }
        );
    }
}

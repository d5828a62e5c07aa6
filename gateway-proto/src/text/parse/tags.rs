//! Tags in raw text: nothing but the tag itself is markup, white space before it least of all.

use memchr::memchr_iter;

/// Where a tag may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Bytes before the tag, or before what may become one.
    pub(super) certain: usize,
    /// The tag that stands there, if it is whole.
    pub(super) which: Option<usize>,
}

/// Looks for the first of `tags`, all of which begin with `<`, from `from` on.
pub(super) fn find(text: &str, from: usize, tags: &[&str], ended: bool) -> Found {
    for at in memchr_iter(b'<', &text.as_bytes()[from..]).map(|at| from + at) {
        let rest = &text[at..];
        let which = tags.iter().position(|tag| rest.starts_with(tag));
        if which.is_some() || (!ended && tags.iter().any(|tag| tag.starts_with(rest))) {
            return Found { certain: at, which };
        }
    }
    Found {
        certain: text.len(),
        which: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_tag_or_what_may_become_one() {
        let tags = ["</a>", "<b"];
        let found = |text, ended| find(text, 0, &tags, ended);
        assert_eq!(
            found("x < y </a>", false),
            Found {
                certain: 6,
                which: Some(0)
            }
        );
        assert_eq!(
            found("x\n</", false),
            Found {
                certain: 2,
                which: None
            }
        );
        assert_eq!(
            found("x\n</", true),
            Found {
                certain: 4,
                which: None
            }
        );
        assert_eq!(
            found("</c>", false),
            Found {
                certain: 4,
                which: None
            }
        );
    }
}

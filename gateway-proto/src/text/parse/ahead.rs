//! Matching that knows when it has seen too little: the same prefix never gives two answers.

/// The most white space between two parts of a construct, in bytes. It bounds what such space holds back.
const MOST_SPACE: usize = 256;

/// Why something does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// It may yet: the text ended within it.
    More,
    /// It never will.
    Never,
}

/// The outcome of a match.
pub(super) type Seen<T> = Result<T, Miss>;

/// Looks ahead in text that more may be added to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Ahead<'a> {
    /// The beginning of `text`.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes matched so far.
    pub(super) fn taken(&self) -> usize {
        self.at
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The next character, which stays.
    pub(super) fn peek(&self) -> Seen<char> {
        self.rest().chars().next().ok_or(Miss::More)
    }

    /// Goes on by so many bytes, which are there.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Takes `literal`.
    pub(super) fn literal(&mut self, literal: &str) -> Seen<()> {
        let rest = self.rest();
        if rest.starts_with(literal) {
            self.at += literal.len();
            return Ok(());
        }
        Err(if literal.starts_with(rest) {
            Miss::More
        } else {
            Miss::Never
        })
    }

    /// Takes whichever of `literals` comes, the earlier where one begins another, and says which.
    pub(super) fn either(&mut self, literals: &[&str]) -> Seen<usize> {
        let mut miss = Miss::Never;
        for (index, literal) in literals.iter().enumerate() {
            match self.literal(literal) {
                Ok(()) => return Ok(index),
                Err(Miss::More) => miss = Miss::More,
                Err(Miss::Never) => {}
            }
        }
        Err(miss)
    }

    /// Takes white space, if any; what is beyond the bound stays.
    pub(super) fn space(&mut self) {
        let rest = self.rest();
        let fits = |(at, c): &(usize, char)| c.is_whitespace() && at + c.len_utf8() <= MOST_SPACE;
        let space = rest.char_indices().take_while(fits);
        self.at += space.map(|(_, c)| c.len_utf8()).sum::<usize>();
    }

    /// Takes at most `longest` bytes as long as `keep` says so; the character that ends them must be there and stays.
    pub(super) fn run(&mut self, longest: usize, keep: impl Fn(char) -> bool) -> Seen<&'a str> {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c));
        if end.unwrap_or(rest.len()) > longest {
            return Err(Miss::Never);
        }
        let run = &rest[..end.ok_or(Miss::More)?];
        self.at += run.len();
        Ok(run)
    }

    /// Takes a name: at least one and at most `longest` bytes without whitespace, quotes, commas, brackets or control characters.
    pub(super) fn word(&mut self, longest: usize) -> Seen<&'a str> {
        let word = self.run(longest, |c| {
            !c.is_whitespace() && !c.is_control() && !"<>{}[]()\"'`,;".contains(c)
        })?;
        if word.is_empty() {
            return Err(Miss::Never);
        }
        Ok(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_that_ends_early_may_yet_come() {
        assert_eq!(Ahead::new("<fun").literal("<function="), Err(Miss::More));
        assert_eq!(Ahead::new("<fan").literal("<function="), Err(Miss::Never));
        assert_eq!(Ahead::new("").literal("<function="), Err(Miss::More));
    }

    #[test]
    fn the_longer_literal_is_waited_for_where_the_shorter_fails() {
        assert_eq!(
            Ahead::new("</to").either(&["<x>", "</tool>"]),
            Err(Miss::More)
        );
        assert_eq!(Ahead::new("</tool>").either(&["<x>", "</tool>"]), Ok(1));
    }

    #[test]
    fn a_run_needs_its_end_and_has_a_bound() {
        let name = |text| Ahead::new(text).run(4, char::is_alphanumeric);
        assert_eq!(name("abc>"), Ok("abc"));
        assert_eq!(name("abc"), Err(Miss::More));
        assert_eq!(name("abcde"), Err(Miss::Never));
    }
}

//! Stop strings across the borders of tokens.

use thiserror::Error;

use super::automaton::Automaton;

/// Most bytes of one answer's stop strings together.
const LIMIT_BYTES: usize = 16 << 10;

/// At which strings an answer stops.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopOptions {
    /// The strings; none may be empty.
    pub stops: Vec<String>,
    /// The stop string stays in the text.
    pub keep_stop: bool,
    /// A stop string counts only if it ends in the text of a later token than this many.
    pub min_tokens: u64,
}

/// Stop strings that cannot be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StopOptionsError {
    /// An empty string stops everywhere.
    #[error("stop string {0} is empty")]
    Empty(usize),
    /// Together they are too long.
    #[error("the stop strings are {bytes} bytes long together, over the limit of {limit}")]
    TooLong {
        /// Their length.
        bytes: usize,
        /// The most that is taken.
        limit: usize,
    },
}

/// The string at which an answer stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Its place in [`StopOptions::stops`].
    pub index: usize,
}

/// Looks for stop strings in a text that comes in pieces.
///
/// The one that ends first wins; of several that end at the same place, the longest. So the result is the same however the
/// text is cut. Only what may be the beginning of a stop string is held back.
#[derive(Clone, Debug)]
pub struct StopMatcher {
    options: StopOptions,
    automaton: Automaton,
    held: String,
    tokens: u64,
    stopped: bool,
}

impl StopMatcher {
    /// # Errors
    /// A string is empty, or they are too long together.
    pub fn new(options: StopOptions) -> Result<Self, StopOptionsError> {
        if let Some(index) = options.stops.iter().position(String::is_empty) {
            return Err(StopOptionsError::Empty(index));
        }
        let bytes = options.stops.iter().map(String::len).sum();
        let limit = LIMIT_BYTES;
        if bytes > limit {
            return Err(StopOptionsError::TooLong { bytes, limit });
        }
        let automaton = Automaton::new(options.stops.iter().map(|stop| &**stop));
        Ok(Self {
            options,
            automaton,
            held: String::new(),
            tokens: 0,
            stopped: false,
        })
    }

    /// Takes in the text of the next `tokens` tokens (it may be empty) and appends what is no part of a stop string to
    /// `out`. After a stop, all further text is dropped.
    pub fn push(&mut self, text: &str, tokens: u64, out: &mut String) -> Option<Stop> {
        if self.stopped {
            return None;
        }
        // Most answers have no stop strings; then nothing is ever held.
        if self.options.stops.is_empty() {
            out.push_str(text);
            return None;
        }
        self.tokens += tokens;
        let active = self.tokens > self.options.min_tokens;
        for (at, byte) in text.bytes().enumerate() {
            let Some(index) = self.automaton.feed(byte).filter(|_| active) else {
                continue;
            };
            self.held.push_str(&text[..=at]);
            self.stop(index, out);
            return Some(Stop { index });
        }
        self.held.push_str(text);
        let certain = self.held.len() - self.automaton.open_bytes();
        out.extend(self.held.drain(..certain));
        None
    }

    /// `held` ends with the stop string.
    fn stop(&mut self, index: usize, out: &mut String) {
        if !self.options.keep_stop {
            let kept = self.held.len() - self.options.stops[index].len();
            self.held.truncate(kept);
        }
        out.push_str(&self.held);
        self.held.clear();
        self.stopped = true;
    }

    /// The answer is over without a stop: appends what was held back.
    pub fn finish(&mut self, out: &mut String) {
        out.push_str(&self.held);
        self.held.clear();
        self.stopped = true;
    }

    /// Bytes that are held back now, as they may be the beginning of a stop string.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The stop that ends first, of those the longest, and the text before it.
    fn naive(text: &str, stops: &[String]) -> (String, Option<usize>) {
        for end in 1..=text.len() {
            let here = stops.iter().enumerate();
            let ending = here.filter(|(_, stop)| text.as_bytes()[..end].ends_with(stop.as_bytes()));
            if let Some((index, stop)) =
                ending.max_by_key(|(at, stop)| (stop.len(), usize::MAX - at))
            {
                return (text[..end - stop.len()].to_owned(), Some(index));
            }
        }
        (text.to_owned(), None)
    }

    fn stops() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("[ab\u{e9}]{1,4}", 1..4)
    }

    fn options(stops: &[String]) -> StopOptions {
        StopOptions {
            stops: stops.to_vec(),
            ..StopOptions::default()
        }
    }

    proptest! {
        #[test]
        fn any_split_finds_what_a_search_in_the_whole_finds(
            stops in stops(),
            parts in proptest::collection::vec("[abc\u{e9}]{0,4}", 0..8),
            keep_stop in any::<bool>(),
        ) {
            let (mut expected, wanted) = naive(&parts.concat(), &stops);
            if let Some(index) = wanted.filter(|_| keep_stop) {
                expected.push_str(&stops[index]);
            }
            let mut matcher = StopMatcher::new(StopOptions { keep_stop, ..options(&stops) }).unwrap();
            let (mut out, mut found) = (String::new(), None);
            for part in &parts {
                found = found.or(matcher.push(part, 1, &mut out));
                prop_assert!(matcher.held_bytes() < stops.iter().map(String::len).max().unwrap());
            }
            matcher.finish(&mut out);
            prop_assert_eq!((out, found.map(|stop| stop.index)), (expected, wanted));
        }
    }

    #[test]
    fn nothing_is_held_that_cannot_become_a_stop() {
        let mut matcher = StopMatcher::new(options(&["\n\nUser:".to_owned()])).unwrap();
        let mut out = String::new();
        assert_eq!(matcher.push("one\n\nUs", 1, &mut out), None);
        assert_eq!(out, "one");
        assert_eq!(matcher.push("a", 1, &mut out), None);
        assert_eq!(out, "one\n\nUsa");
    }

    #[test]
    fn without_stops_all_text_goes_through_until_the_end() {
        let mut matcher = StopMatcher::new(options(&[])).unwrap();
        let mut out = String::new();
        assert_eq!(matcher.push("one ", 1, &mut out), None);
        assert_eq!(matcher.push("two", 1, &mut out), None);
        assert_eq!((out.as_str(), matcher.held_bytes()), ("one two", 0));
        matcher.finish(&mut out);
        assert_eq!(matcher.push("three", 1, &mut out), None);
        assert_eq!(out, "one two");
    }

    #[test]
    fn without_stops_all_text_passes_at_once() {
        let mut matcher = StopMatcher::new(options(&[])).unwrap();
        let mut out = String::new();
        for part in ["a", "", "\u{e9}b"] {
            assert_eq!(matcher.push(part, 1, &mut out), None);
            assert_eq!(matcher.held_bytes(), 0);
        }
        matcher.finish(&mut out);
        assert_eq!(out, "a\u{e9}b");
        assert_eq!(matcher.push("c", 1, &mut out), None);
        assert_eq!(out, "a\u{e9}b", "nothing follows the end");
    }

    #[test]
    fn a_stop_in_the_first_tokens_does_not_count() {
        let mut matcher = StopMatcher::new(StopOptions {
            min_tokens: 2,
            ..options(&["ab".to_owned()])
        })
        .unwrap();
        let mut out = String::new();
        assert_eq!(matcher.push("ab", 1, &mut out), None);
        assert_eq!(matcher.push("xa", 1, &mut out), None);
        // Begins in the second token and ends in the third.
        assert_eq!(matcher.push("bc", 1, &mut out), Some(Stop { index: 0 }));
        assert_eq!(out, "abx");
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        let error = |stops: &[String]| StopMatcher::new(options(stops)).unwrap_err();
        assert_eq!(
            error(&["a".to_owned(), String::new()]),
            StopOptionsError::Empty(1)
        );
        assert!(matches!(
            error(&["a".repeat(LIMIT_BYTES + 1)]),
            StopOptionsError::TooLong { .. }
        ));
    }
}

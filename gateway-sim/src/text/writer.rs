//! Answers that follow from their prompt.

use super::tokenizer::{self, EOS};

/// Writes an answer token by token.
///
/// The next token is a pure function of the seed and of all tokens before it, prompt and answer alike, just as greedy
/// sampling is; so an answer that is continued elsewhere from its own tokens goes on as it would have. Sentences have some thirteen words on average, answers four sentences; an answer ends with [`EOS`].
#[derive(Clone, Debug)]
pub struct Writer {
    state: u64,
    last: Option<u32>,
    /// Moves the next token, and only that one.
    nudge: u32,
}

impl Writer {
    /// A writer that has read nothing.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            state: mix(seed ^ 0x7e57_0f00_d5ee_d001),
            last: None,
            nudge: 0,
        }
    }

    /// Lets the next token be another one for each `nudge`, which is how several answers to one prompt come to differ.
    pub const fn nudge(&mut self, nudge: u32) {
        self.nudge = nudge;
    }

    /// Reads tokens of the prompt.
    pub fn read(&mut self, tokens: &[u32]) {
        for token in tokens {
            self.state = mix(self.state ^ u64::from(*token));
        }
        self.last = tokens.last().copied().or(self.last);
    }

    /// Writes one token, and never [`EOS`] unless `may_end`.
    pub fn write(&mut self, may_end: bool) -> u32 {
        let token = self.choose(may_end);
        self.nudge = 0;
        self.read(&[token]);
        token
    }

    /// A number that follows from what was read and from `salt`, for choices beside the text.
    #[must_use]
    pub const fn draw(&self, salt: u64) -> u64 {
        mix(self.state ^ mix(salt))
    }

    fn choose(&self, may_end: bool) -> u32 {
        let full_stop = tokenizer::byte(b'.');
        let draw = self.draw(1);
        let place = usize::try_from((draw >> 33) + u64::from(self.nudge)).unwrap_or(0);
        match self.last {
            Some(last) if last == full_stop && may_end && draw.is_multiple_of(4) => EOS,
            Some(last) if last == full_stop => tokenizer::opening(place, true),
            Some(last) if !tokenizer::is_mark(last) && last != tokenizer::byte(b'\n') => {
                if tokenizer::is_common(last) && draw.is_multiple_of(12) {
                    full_stop
                } else {
                    tokenizer::common(place)
                }
            }
            _ => tokenizer::opening(place, false),
        }
    }
}

/// The finaliser of `SplitMix64`: every bit of the input moves every bit of the output.
const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{decode, encode};

    fn answer(prompt: &[u32], seed: u64) -> Vec<u32> {
        let mut writer = Writer::new(seed);
        writer.read(prompt);
        let mut tokens = Vec::new();
        while tokens.last() != Some(&EOS) && tokens.len() < 5_000 {
            tokens.push(writer.write(true));
        }
        tokens
    }

    #[test]
    fn answers_follow_from_prompt_and_seed_alone() {
        let prompt = encode("Tell me of the sea");
        assert_eq!(answer(&prompt, 1), answer(&prompt, 1));
        assert_ne!(answer(&prompt, 1), answer(&prompt, 2));
        assert_ne!(answer(&prompt, 1), answer(&encode("Tell me of the see"), 1));
    }

    #[test]
    fn an_answer_continued_from_its_own_tokens_goes_on_as_it_would_have() {
        let prompt = encode("Tell me of the sea");
        let whole = answer(&prompt, 3);
        let cut = whole.len() / 2;
        let so_far = [&prompt[..], &whole[..cut]].concat();
        assert_eq!(answer(&so_far, 3), whole[cut..]);
    }

    #[test]
    fn nudged_answers_differ_and_each_can_be_continued_without_the_nudge() {
        let prompt = encode("Tell me of the sea");
        let nudged = |nudge| {
            let mut writer = Writer::new(3);
            writer.read(&prompt);
            writer.nudge(nudge);
            let tokens: Vec<u32> = (0..40).map(|_| writer.write(false)).collect();
            tokens
        };
        for nudge in 1..30 {
            let whole = nudged(nudge);
            assert_ne!(whole[0], nudged(nudge - 1)[0]);
            let mut writer = Writer::new(3);
            writer.read(&prompt);
            writer.read(&whole[..1]);
            assert!(whole[1..].iter().all(|token| writer.write(false) == *token));
        }
    }

    #[test]
    fn answers_read_like_sentences_and_end() {
        let mut lengths: Vec<usize> = Vec::new();
        for seed in 0..200 {
            let tokens = answer(&[1, 2], seed);
            let text = decode(&tokens);
            assert!(
                text.ends_with('.') && text.starts_with(|c: char| c.is_ascii_uppercase()),
                "{text}"
            );
            assert_eq!(
                encode(&text),
                tokens[..tokens.len() - 1],
                "the tokenizer cuts it where the writer did"
            );
            lengths.push(tokens.len());
        }
        let mean = lengths.iter().sum::<usize>() / lengths.len();
        assert!((30..90).contains(&mean), "mean {mean}");
    }

    #[test]
    fn an_answer_that_may_not_end_does_not() {
        let mut writer = Writer::new(0);
        writer.read(&[2]);
        assert!((0..2_000).all(|_| writer.write(false) != EOS));
    }
}

//! How long answers will be, judged by those that were.

use crate::{RouteCx, hash};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The most groups that are remembered.
const GROUPS: usize = 8_192;
/// How many answers of a group weigh as much as what is known of the wider one.
const DOUBT: f64 = 6.0;
/// How fast old answers fade.
const GAIN: f64 = 0.02;
/// Where nothing is known.
const BLIND_TOKENS: f64 = 200.0;

/// What an answer's length is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OutputKey {
    /// A hash of the model's name.
    pub model: u64,
    /// A key of whoever asks, 0 where unknown.
    pub caller: u64,
    /// Prompt length in tokens.
    pub prompt_tokens: u32,
}

impl OutputKey {
    /// The key of a request.
    #[must_use]
    pub fn of(cx: &RouteCx<'_>) -> Self {
        Self {
            model: hash::seed(&[cx.model.as_bytes()]),
            caller: cx.caller,
            prompt_tokens: cx.prompt_tokens,
        }
    }
}

/// Running means of output lengths per model, caller and prompt size, each leaning on the wider group until it has seen
/// enough itself. Bounded; beyond the bound new groups share the wider ones' means.
#[derive(Debug, Default)]
pub struct OutputLengths {
    groups: Mutex<HashMap<(u64, u64, u32), Mean>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    tokens: f64,
    seen: f64,
}

impl OutputLengths {
    /// The expected output in tokens.
    #[must_use]
    pub fn expect(&self, key: &OutputKey) -> f64 {
        let groups = self.groups();
        levels(key).iter().fold(BLIND_TOKENS, |wider, level| {
            groups.get(level).map_or(wider, |mean| {
                (mean.tokens * mean.seen + wider * DOUBT) / (mean.seen + DOUBT)
            })
        })
    }

    /// An answer was `tokens` long.
    pub fn learn(&self, key: &OutputKey, tokens: u32) {
        let mut groups = self.groups();
        for level in levels(key) {
            if groups.len() >= GROUPS && !groups.contains_key(&level) {
                continue;
            }
            let mean = groups.entry(level).or_default();
            mean.seen = (mean.seen + 1.0).min(1.0 / GAIN);
            mean.tokens += (f64::from(tokens) - mean.tokens) / mean.seen;
        }
    }

    fn groups(&self) -> MutexGuard<'_, HashMap<(u64, u64, u32), Mean>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From the widest group to the narrowest.
fn levels(key: &OutputKey) -> [(u64, u64, u32); 3] {
    let size = 32 - key.prompt_tokens.leading_zeros();
    [
        (key.model, 0, 0),
        (key.model, 0, size + 1),
        (key.model, key.caller, size + 1),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(caller: u64, prompt_tokens: u32) -> OutputKey {
        OutputKey {
            model: 1,
            caller,
            prompt_tokens,
        }
    }

    #[test]
    fn leans_on_the_wider_group_until_it_has_seen_enough() {
        let lengths = OutputLengths::default();
        assert!((lengths.expect(&key(7, 100)) - BLIND_TOKENS).abs() < 1e-9);
        for _ in 0..200 {
            lengths.learn(&key(7, 100), 50);
            lengths.learn(&key(8, 100), 900);
        }
        assert!(lengths.expect(&key(7, 100)) < 150.0);
        assert!(lengths.expect(&key(8, 100)) > 800.0);
        let stranger = lengths.expect(&key(9, 90_000));
        assert!((200.0..800.0).contains(&stranger), "{stranger}");
    }

    #[test]
    fn remembers_a_bounded_number_of_groups() {
        let lengths = OutputLengths::default();
        for caller in 1..40_000 {
            lengths.learn(&key(caller, 100), 10);
        }
        assert!(lengths.groups().len() <= GROUPS);
        assert!(lengths.expect(&key(39_999, 100)) < 60.0);
    }
}

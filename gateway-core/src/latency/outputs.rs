//! How long answers will be, judged by those that were.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{RouteCx, hash};

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

/// The mean of one group, to keep across restarts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnedOutput {
    /// A hash of the model's name.
    pub model: u64,
    /// The caller's key; 0 for the groups of all callers.
    pub caller: u64,
    /// Bits of the prompt's length in tokens, and one; 0 for the group of all lengths.
    pub size: u32,
    /// The mean output in tokens.
    pub tokens: f64,
    /// How many answers it rests on, capped where old ones begin to fade.
    pub seen: f64,
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

    /// What was learned, group by group, in a fixed order.
    #[must_use]
    pub fn learned(&self) -> Vec<LearnedOutput> {
        let groups = self.groups();
        let mut learned: Vec<_> = groups
            .iter()
            .map(|(&(model, caller, size), mean)| LearnedOutput {
                model,
                caller,
                size,
                tokens: mean.tokens,
                seen: mean.seen,
            })
            .collect();
        drop(groups);
        learned.sort_unstable_by_key(|group| (group.model, group.caller, group.size));
        learned
    }

    /// Takes over what was learned earlier, as far as there is room; impossible means are ignored.
    pub fn restore(&self, learned: &[LearnedOutput]) {
        let mut groups = self.groups();
        let is_possible = |group: &&LearnedOutput| {
            (0.0..=f64::from(u32::MAX)).contains(&group.tokens)
                && (1.0..=1.0 / GAIN).contains(&group.seen)
        };
        for group in learned.iter().filter(is_possible) {
            if groups.len() >= GROUPS {
                break;
            }
            let mean = Mean {
                tokens: group.tokens,
                seen: group.seen,
            };
            groups.insert((group.model, group.caller, group.size), mean);
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

//! How much may wait, for how long, and in which order.

use std::time::Duration;

/// Requests of one range of priorities.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its name, in metrics and errors.
    pub name: String,
    /// The least priority it takes; those above it go to the class with the next greater one.
    pub from: i8,
    /// Requests that may wait in it.
    pub requests: u32,
    /// Tokens of these, prompt and expected output; a single request may have more.
    pub tokens: u64,
    /// How long one of them may wait.
    pub wait_at_most: Duration,
    /// The least part of all tokens that it gets while it has a backlog, 0 to 1: 0 may wait for higher classes for ever.
    pub share: f32,
}

/// Bounds over all classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Requests that may wait.
    pub requests: u32,
    /// Tokens of these; a single request may have more.
    pub tokens: u64,
    /// Tokens that a flow may send in its turn.
    pub quantum_tokens: u32,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            requests: 4_096,
            tokens: 64 << 20,
            quantum_tokens: 1_024,
        }
    }
}

/// Why a policy makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// There is no class.
    #[error("there must be a class")]
    NoClass,
    /// Two classes have the same name or the same least priority.
    #[error("class {0:?} has the name or the least priority of another one")]
    Twice(String),
    /// A bound of zero.
    #[error("bounds and the quantum must be at least 1")]
    ZeroBound,
    /// A share that is none, or shares of more than everything.
    #[error("shares must be 0 to 1 each and at most 1 together")]
    Shares,
}

/// A queue's policy, checked: classes from the highest to the lowest.
#[derive(Clone, Debug, PartialEq)]
pub struct AdmissionPolicy {
    limits: QueueLimits,
    classes: Vec<Class>,
}

impl AdmissionPolicy {
    /// A policy; the lowest class also takes what is below its own least priority.
    ///
    /// # Errors
    /// Where it makes no sense.
    pub fn new(limits: QueueLimits, mut classes: Vec<Class>) -> Result<Self, PolicyError> {
        if classes.is_empty() {
            return Err(PolicyError::NoClass);
        }
        classes.sort_by_key(|class| std::cmp::Reverse(class.from));
        for (at, class) in classes.iter().enumerate() {
            let same = |other: &Class| other.name == class.name || other.from == class.from;
            if classes[..at].iter().any(same) {
                return Err(PolicyError::Twice(class.name.clone()));
            }
        }
        let bounds = classes.iter().map(|class| (class.requests, class.tokens));
        let all = (limits.requests, limits.tokens);
        let is_zero = |(requests, tokens)| requests == 0 || tokens == 0;
        if limits.quantum_tokens == 0 || bounds.chain([all]).any(is_zero) {
            return Err(PolicyError::ZeroBound);
        }
        let is_share = |class: &Class| (0.0..=1.0).contains(&class.share);
        let sum: f32 = classes.iter().map(|class| class.share).sum();
        if !classes.iter().all(is_share) || sum > 1.0 {
            return Err(PolicyError::Shares);
        }
        Ok(Self { limits, classes })
    }

    /// Bounds over all classes.
    #[must_use]
    pub fn limits(&self) -> &QueueLimits {
        &self.limits
    }

    /// The classes, the highest first.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// Where the class of a priority stands among [`classes`](Self::classes).
    #[must_use]
    pub fn class_of(&self, priority: i8) -> usize {
        let place = self.classes.iter().position(|class| class.from <= priority);
        place.unwrap_or(self.classes.len() - 1)
    }
}

impl Default for AdmissionPolicy {
    /// Three classes: `high` above 0, `normal` with a tenth for certain, and `low` below 0, whose requests are given up
    /// where there is no place.
    fn default() -> Self {
        let class = |name: &str, from, minutes, share| Class {
            name: name.to_owned(),
            from,
            requests: 2_048,
            tokens: 32 << 20,
            wait_at_most: Duration::from_mins(minutes),
            share,
        };
        let classes = vec![
            class("high", 1, 5, 0.0),
            class("normal", 0, 5, 0.1),
            class("low", i8::MIN, 1, 0.0),
        ];
        Self {
            limits: QueueLimits::default(),
            classes,
        }
    }
}

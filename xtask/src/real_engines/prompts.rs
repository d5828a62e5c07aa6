//! Prompts of token ids that share no beginning.

/// Ids below this are ordinary words of the tiny model's vocabulary, special tokens lie above.
const WORDS: u64 = 100_000;

/// `tokens` ids, others for each `number`.
pub(super) fn random(number: u64, tokens: usize) -> Vec<u64> {
    // Knuth's constants of a linear congruential generator; its high bits are the random ones.
    let mut state = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % WORDS
    };
    (0..tokens).map(|_| next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_repeatable_and_differ() {
        assert_eq!(random(1, 70), random(1, 70));
        assert_ne!(random(1, 1), random(2, 1));
        assert!(random(3, 500).iter().all(|id| *id < WORDS));
    }
}

//! What a block is called in the router's own terms, whatever the engine calls it.

use crate::hash;

/// Where the chain of a prompt given in token ids starts: `adapter` is the LoRA adapter's name as the engine lists it
/// (empty for the base model), `salt` the request's cache salt (empty for none).
///
/// A prompt's keys are [`hash::hash_tokens`] from here on. The model is not part of the key: an endpoint serves one base
/// model, under any of its aliases, and what it holds is asked of that endpoint alone.
///
/// ```
/// use gateway_core::kvfeed::token_seed;
///
/// assert_ne!(token_seed(b"", b"a"), token_seed(b"a", b""));
/// ```
#[must_use]
pub fn token_seed(adapter: &[u8], salt: &[u8]) -> u64 {
    hash::seed(&[b"tokens", adapter, salt])
}

/// What sets a block apart whose token ids alone do not name its content: an image, an audio clip, given embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The block's place in its event.
    pub block: u32,
    /// A hash over the content's identity and its place.
    pub fingerprint: u64,
}

/// Works a mark's fingerprint into the first tokens of its block, so that everything after it has another key than the
/// same token ids without it.
pub(super) fn work_in(fingerprint: u64, block: &mut [u32]) {
    #[expect(clippy::cast_possible_truncation, reason = "one half at a time")]
    let halves = [fingerprint as u32, (fingerprint >> 32) as u32];
    for (token, half) in block.iter_mut().zip(halves) {
        *token = token.rotate_left(7) ^ half;
    }
}

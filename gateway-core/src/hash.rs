//! Chained block hashes: the key under which a prompt's prefix is known to engines and to the [prefix index](crate::prefix).
//!
//! A prompt is cut into blocks of equal size. Each full block is hashed with XXH3, and its hash is folded into the
//! hash of all blocks before it, so one [`BlockHash`] names a whole prefix. A last block that is not full has no hash:
//! engines cache full blocks only.
//!
//! The hashes of the blocks do not wait for each other, only the short fold does, which keeps the processor busy.
//! Numbers are read as little-endian, so every platform computes the same hashes.
//!
//! These hashes resist accidents, not attackers: a crafted collision misleads the choice of an engine and nothing else.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::BlockHash;

const FOLD_PARENT: u64 = 0xa076_1d64_78bd_642f;
const FOLD_BLOCK: u64 = 0xe703_7ed1_a0b4_28db;
const TOKEN_BYTES: usize = size_of::<u32>();

/// Binds everything beside the prompt that changes what an engine caches: model, adapter, salt, tool list.
///
/// Each part counts with its length, so `["ab", "c"]` and `["a", "bc"]` differ.
///
/// ```
/// let plain = gateway_core::hash::seed(&[b"llama"]);
/// let adapted = gateway_core::hash::seed(&[b"llama", b"my-adapter"]);
/// assert_ne!(plain, adapted);
/// ```
#[must_use]
pub fn seed(parts: &[&[u8]]) -> u64 {
    let mut hasher = Xxh3::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.digest()
}

/// Appends the chained hash of every full block of `block_tokens` token ids to `out`.
///
/// `seed` stands for what lies before the first block: take it from [`seed`]. Adds `tokens.len() / block_tokens`
/// hashes, and none where `block_tokens` is 0.
///
/// ```
/// use gateway_core::hash::{extend_tokens, hash_tokens, seed};
///
/// let tokens: Vec<u32> = (0..64).collect();
/// let mut whole = Vec::new();
/// hash_tokens(seed(&[b"llama"]), &tokens, 16, &mut whole);
///
/// // The next turn of a conversation hashes only what is new.
/// let mut grown = whole[..2].to_vec();
/// extend_tokens(grown[1], &tokens[32..], 16, &mut grown);
/// assert_eq!(grown, whole);
/// ```
pub fn hash_tokens(seed: u64, tokens: &[u32], block_tokens: usize, out: &mut Vec<BlockHash>) {
    if block_tokens == 0 || tokens.len() < block_tokens {
        return;
    }
    out.reserve(tokens.len() / block_tokens);
    let mut bytes = vec![0_u8; block_tokens * TOKEN_BYTES];
    let mut chain = seed;
    for block in tokens.chunks_exact(block_tokens) {
        for (place, token) in bytes.chunks_exact_mut(TOKEN_BYTES).zip(block) {
            place.copy_from_slice(&token.to_le_bytes());
        }
        chain = fold(chain, xxh3_64(&bytes));
        out.push(BlockHash(chain));
    }
}

/// As [`hash_tokens`], for tokens that follow the block `parent`.
pub fn extend_tokens(
    parent: BlockHash,
    tokens: &[u32],
    block_tokens: usize,
    out: &mut Vec<BlockHash>,
) {
    hash_tokens(parent.0, tokens, block_tokens, out);
}

/// Appends the chained hash of every full block of `block_bytes` bytes to `out`: for prompts that stay text.
///
/// `seed` as for [`hash_tokens`]; adds nothing where `block_bytes` is 0.
pub fn hash_bytes(seed: u64, text: &[u8], block_bytes: usize, out: &mut Vec<BlockHash>) {
    if block_bytes == 0 {
        return;
    }
    out.reserve(text.len() / block_bytes);
    let mut chain = seed;
    for block in text.chunks_exact(block_bytes) {
        chain = fold(chain, xxh3_64(block));
        out.push(BlockHash(chain));
    }
}

/// As [`hash_bytes`], for text that follows the block `parent`.
pub fn extend_bytes(parent: BlockHash, text: &[u8], block_bytes: usize, out: &mut Vec<BlockHash>) {
    hash_bytes(parent.0, text, block_bytes, out);
}

/// Both halves of a 128-bit product, so that every input bit reaches every output bit.
fn fold(parent: u64, block: u64) -> u64 {
    let wide = u128::from(parent ^ FOLD_PARENT) * u128::from(block ^ FOLD_BLOCK);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are folded on purpose"
    )]
    let folded = (wide as u64) ^ ((wide >> 64) as u64);
    // The product alone is symmetric in its two sides; a chain is not.
    folded ^ block.rotate_left(17)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(seed: u64, tokens: &[u32], block_tokens: usize) -> Vec<u64> {
        let mut out = Vec::new();
        hash_tokens(seed, tokens, block_tokens, &mut out);
        out.iter().map(|hash| hash.0).collect()
    }

    #[test]
    fn a_partial_last_block_has_no_hash() {
        let tokens: Vec<u32> = (0..47).collect();
        assert_eq!(chain(1, &tokens, 16).len(), 2);
        assert!(chain(1, &tokens[..15], 16).is_empty());
        assert!(chain(1, &tokens, 0).is_empty());
        let mut out = Vec::new();
        hash_bytes(1, b"abc", 0, &mut out);
        hash_bytes(1, b"abc", 4, &mut out);
        assert!(out.is_empty());
    }

    #[test]
    fn tokens_hash_as_their_little_endian_bytes() {
        let tokens: Vec<u32> = (0..64).map(|n| n * 0x0101_0107).collect();
        let bytes: Vec<u8> = tokens
            .iter()
            .flat_map(|token| token.to_le_bytes())
            .collect();
        let (mut by_token, mut by_byte) = (Vec::new(), Vec::new());
        hash_tokens(9, &tokens, 16, &mut by_token);
        hash_bytes(9, &bytes, 64, &mut by_byte);
        assert_eq!(by_token, by_byte);
    }

    #[test]
    fn a_change_reaches_every_later_hash_and_no_earlier_one() {
        let tokens: Vec<u32> = (0..160).collect();
        let before = chain(3, &tokens, 16);
        for at in [0, 79, 159] {
            let mut changed = tokens.clone();
            changed[at] ^= 1;
            let after = chain(3, &changed, 16);
            for (block, (a, b)) in before.iter().zip(&after).enumerate() {
                assert_eq!(a == b, block < at / 16, "token {at}, block {block}");
            }
        }
        assert!(
            chain(4, &tokens, 16)
                .iter()
                .zip(&before)
                .all(|(a, b)| a != b)
        );
    }

    #[test]
    fn swapped_blocks_differ() {
        let tokens: Vec<u32> = (0..32).collect();
        let swapped: Vec<u32> = (16..32).chain(0..16).collect();
        assert_ne!(chain(0, &tokens, 16)[1], chain(0, &swapped, 16)[1]);
    }

    #[test]
    fn seeds_keep_the_borders_between_parts() {
        assert_ne!(seed(&[b"ab", b"c"]), seed(&[b"a", b"bc"]));
        assert_ne!(seed(&[b"ab"]), seed(&[b"ab", b""]));
    }

    #[test]
    fn golden_values_hold_on_every_platform() {
        let tokens: Vec<u32> = (1..=48).collect();
        assert_eq!(seed(&[b"model", b"adapter"]), GOLDEN_SEED);
        assert_eq!(chain(GOLDEN_SEED, &tokens, 16), GOLDEN_CHAIN);
    }

    // Worked out with the reference implementation of XXH3.
    const GOLDEN_SEED: u64 = 0x4041_b597_23b3_22a7;
    const GOLDEN_CHAIN: [u64; 3] = [
        0x97eb_5b27_1659_7381,
        0x5e86_b3f7_0195_7b80,
        0xc4d2_9c5b_ff53_30f2,
    ];
}

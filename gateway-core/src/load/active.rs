//! How much KV cache the requests in flight hold, shared prefixes counted once.

use crate::{BlockHash, IdMap};

/// Tokens for which one hash of a chain stands here. Chained hashes prove everything before them, so every one that many
/// tokens is enough.
const GRAIN_TOKENS: u32 = 512;

/// Sampled block hashes of the requests in flight at one endpoint.
#[derive(Debug, Default)]
pub(super) struct ActiveBlocks {
    grains: IdMap<u64, u32>,
    private_tokens: u64,
}

/// A request's part in [`ActiveBlocks`].
#[derive(Debug, Default)]
pub(super) struct Share {
    grains: Box<[u64]>,
    private_tokens: u64,
}

/// How many entries of a prompt's hashes one grain has.
fn stride(block_tokens: u32) -> usize {
    (GRAIN_TOKENS / block_tokens.max(1)).max(1) as usize
}

/// Tokens of one grain.
fn grain_tokens(block_tokens: u32) -> u64 {
    stride(block_tokens) as u64 * u64::from(block_tokens)
}

impl ActiveBlocks {
    /// Tokens held; `block_tokens` as in the prompts' hashes.
    pub(super) fn tokens(&self, block_tokens: u32) -> u64 {
        self.grains.len() as u64 * grain_tokens(block_tokens) + self.private_tokens
    }

    /// Leading tokens of a prompt that requests in flight hold already.
    pub(super) fn overlap(&self, blocks: &[BlockHash], block_tokens: u32) -> u64 {
        let stride = stride(block_tokens);
        let (mut low, mut high) = (0, blocks.len() / stride);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self
                .grains
                .contains_key(&blocks[(middle + 1) * stride - 1].0)
            {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low as u64 * grain_tokens(block_tokens)
    }

    /// Enters a prompt.
    pub(super) fn enter(&mut self, blocks: &[BlockHash], block_tokens: u32, prompt: u64) -> Share {
        let stride = stride(block_tokens);
        let grains: Box<[u64]> = blocks
            .chunks_exact(stride)
            .map(|grain| grain[stride - 1].0)
            .collect();
        for &grain in &grains {
            *self.grains.entry(grain).or_default() += 1;
        }
        let covered = grains.len() as u64 * grain_tokens(block_tokens);
        let private_tokens = prompt.saturating_sub(covered);
        self.private_tokens += private_tokens;
        Share {
            grains,
            private_tokens,
        }
    }

    /// Takes a prompt out again.
    pub(super) fn leave(&mut self, share: &Share) {
        self.private_tokens -= share.private_tokens;
        for grain in &share.grains {
            if let Some(holders) = self.grains.get_mut(grain) {
                *holders -= 1;
                if *holders == 0 {
                    self.grains.remove(grain);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(from: u64, count: u64) -> Vec<BlockHash> {
        (from..from + count).map(BlockHash).collect()
    }

    #[test]
    fn shared_prefixes_count_once() {
        let mut active = ActiveBlocks::default();
        let prompt = chain(0, 64);
        let first = active.enter(&prompt, 16, 1_100);
        assert_eq!(active.tokens(16), 1_100);
        let second = active.enter(&prompt, 16, 1_100);
        assert_eq!(active.tokens(16), 1_176, "two private tails, one prefix");
        let mut other = chain(0, 32);
        other.extend(chain(900, 32));
        assert_eq!(active.overlap(&other, 16), 512);
        assert_eq!(active.overlap(&chain(500, 64), 16), 0);
        active.leave(&first);
        active.leave(&second);
        assert_eq!(active.tokens(16), 0);
        assert!(active.grains.is_empty());
    }

    #[test]
    fn blocks_larger_and_smaller_than_a_grain() {
        let mut active = ActiveBlocks::default();
        let large = active.enter(&chain(0, 3), 1_024, 3_072);
        assert_eq!(active.tokens(1_024), 3_072);
        assert_eq!(active.overlap(&chain(0, 2), 1_024), 2_048);
        active.leave(&large);
        let single = active.enter(&chain(0, 1_024), 1, 1_024);
        assert_eq!((active.tokens(1), active.grains.len()), (1_024, 2));
        active.leave(&single);
        let none = active.enter(&[], 0, 77);
        assert_eq!(active.tokens(0), 77);
        active.leave(&none);
    }
}

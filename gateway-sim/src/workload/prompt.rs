//! Prompts as block ids.

use std::sync::Arc;

use gateway_core::hash;

/// Numbers for pieces of text that nobody else has.
#[derive(Clone, Debug, Default)]
pub struct Segments(u64);

impl Segments {
    /// A piece that differs from all others of this source.
    pub fn fresh(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// A prompt put together from pieces of text. Two prompts share blocks exactly as far as they begin with the same pieces.
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    pieces: Vec<(u64, u32)>,
    tokens: u32,
}

impl Prompt {
    /// Appends the first `tokens` tokens of a piece of text.
    pub fn push(&mut self, piece: u64, tokens: u32) -> &mut Self {
        let tokens = tokens.min(u32::MAX - self.tokens);
        if tokens > 0 {
            self.pieces.push((piece, tokens));
            self.tokens += tokens;
        }
        self
    }

    /// Tokens so far.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.tokens
    }

    /// The id of every started block of `block_tokens` tokens (taken as 1 where 0), in order: a hash of what is in the
    /// block and of the id before it.
    #[must_use]
    pub fn blocks(&self, block_tokens: u32) -> Arc<[u64]> {
        let block_tokens = block_tokens.max(1);
        let mut blocks = Vec::with_capacity(self.tokens.div_ceil(block_tokens) as usize);
        let mut chain = 0;
        let mut content = Vec::new();
        let mut room = block_tokens;
        for &(piece, tokens) in &self.pieces {
            let mut from = 0;
            while from < tokens {
                let taken = room.min(tokens - from);
                for number in [piece, u64::from(from), u64::from(taken)] {
                    content.extend_from_slice(&number.to_le_bytes());
                }
                from += taken;
                room -= taken;
                if room == 0 {
                    chain = close(chain, &mut content, &mut blocks);
                    room = block_tokens;
                }
            }
        }
        if !content.is_empty() {
            close(chain, &mut content, &mut blocks);
        }
        blocks.into()
    }
}

fn close(chain: u64, content: &mut Vec<u8>, blocks: &mut Vec<u64>) -> u64 {
    let id = hash::seed(&[&chain.to_le_bytes(), content]);
    content.clear();
    blocks.push(id);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_share_blocks_as_far_as_they_begin_alike() {
        let mut a = Prompt::default();
        a.push(1, 1_000).push(2, 500);
        let mut b = Prompt::default();
        b.push(1, 1_000).push(3, 500);
        let (a, b) = (a.blocks(512), b.blocks(512));
        assert_eq!(a.len(), 3);
        assert_eq!(a[0], b[0]);
        // The second block holds the end of the common piece and the beginning of another.
        assert_ne!(a[1], b[1]);
        assert_ne!(a[2], b[2]);
    }

    #[test]
    fn a_prompt_that_grows_keeps_its_full_blocks() {
        let mut prompt = Prompt::default();
        prompt.push(1, 700).push(2, 600);
        let before = prompt.blocks(512);
        prompt.push(3, 40);
        let after = prompt.blocks(512);
        assert_eq!(prompt.tokens(), 1_340);
        assert_eq!(before[..2], after[..2]);
        assert_ne!(before[2], after[2], "the last one was part full");
    }

    #[test]
    fn an_empty_prompt_and_a_block_of_nothing_are_harmless() {
        assert!(Prompt::default().blocks(0).is_empty());
        assert_eq!(Prompt::default().push(1, 3).blocks(0).len(), 3);
        let mut long = Prompt::default();
        long.push(1, u32::MAX).push(2, 5);
        assert_eq!(long.tokens(), u32::MAX);
    }
}
